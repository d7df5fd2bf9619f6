# platformio.py - spboot in a build of PlatformIO, which runs it by SCons, in front of its platform and behind it: the extra
# script of a project, named there with pre: and with post:, hands over `env`.
#
#   - include path and linker path get what `spboot prebuild` makes, at the beginning of each run;
#   - `spboot postbuild` runs behind each link; its files for production are $BUILD_DIR/spboot.hex and .elf, whatever the
#     version, for `upload_command`;
#   - the target spboot-release keeps a release.
#
# Options of the environment in platformio.ini: custom_spboot (the command, if not on PATH), custom_spboot_options (more
# options of postbuild).  The project file spboot.toml says the rest, or SPBOOT_BOARD and kin do.
import json
import os
import shlex
import shutil
import subprocess
import sys

Import("env")  # noqa: F821

SPBOOT = env.GetProjectOption("custom_spboot", "spboot")  # noqa: F821
OPTIONS = shlex.split(env.GetProjectOption("custom_spboot_options", ""))  # noqa: F821
PROJECT = env.subst("$PROJECT_DIR")  # noqa: F821
FOLDER = os.path.join(env.subst("$BUILD_DIR"), "spboot")  # noqa: F821
LINKED = ("spboot.ld", "spboot-check.ld", "spboot-memory.ld", "bootloader.txt", "spboot_version.h")


def spboot(*arguments, stdout=None):
    """Run `spboot`, whose own sentence says what is wrong."""
    sys.stdout.flush()
    done = subprocess.run((SPBOOT, *arguments), cwd=PROJECT, stdout=stdout, encoding="utf-8")
    return done.returncode, done.stdout


def made(elf, build):
    """The files of a version, and those for production beside the .elf under names that stay."""
    code, said = spboot("postbuild", elf, "--json", *OPTIONS, stdout=subprocess.PIPE)
    if code:
        return code
    told = json.loads(said)
    folder = os.path.join(PROJECT, told["folder"])
    for name in told["files"]:
        print("spboot: " + os.path.join(folder, name))
        ending = os.path.splitext(name)[1]
        if name.startswith("BOOT_") and ending in (".hex", ".elf"):
            shutil.copy(os.path.join(folder, name), os.path.join(build, "spboot" + ending))
    return 0


def behind_the_link(target, source, env):
    return made(str(target[0].abspath), env.subst("$BUILD_DIR"))


def release(target, source, env):
    return spboot("postbuild", str(source[0].abspath), "--release", *OPTIONS)[0]


def before():
    """In front of the platform: what it is compiled and linked with.  Projects and libraries take it over from here."""
    if not env.GetExtraScripts("post"):  # noqa: F821
        env.Exit("spboot: extra_scripts has its script with pre: alone; add the line with post:")  # noqa: F821
    code, _ = spboot("prebuild", FOLDER)
    if code:
        env.Exit(code)  # noqa: F821
    env.Append(CPPPATH=[FOLDER], LIBPATH=[FOLDER], SPBOOT_FOLDER=FOLDER)  # noqa: F821


def behind():
    """Behind the platform, which says what the .elf is called.  It is linked again when what it is linked with is new."""
    elf = env.File("$PROGPATH")  # noqa: F821
    env.Depends(elf, [os.path.join(FOLDER, name) for name in LINKED])  # noqa: F821
    env.AddPostAction("$PROGPATH", env.VerboseAction(behind_the_link, "spboot postbuild"))  # noqa: F821
    env.AddCustomTarget(  # noqa: F821
        "spboot-release", elf, env.VerboseAction(release, "spboot postbuild --release"),  # noqa: F821
        title="Keep a release", description="Patches of later versions start from it",
    )  # fmt: skip


if not env.IsCleanTarget():  # noqa: F821
    if "SPBOOT_FOLDER" in env:  # noqa: F821
        behind()
    else:
        before()
