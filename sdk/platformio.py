# platformio.py - spboot in a build of PlatformIO, which runs it by SCons, in front of its platform and behind it: the
# extra script of a project, named there with pre: and with post:, hands over `env`.
#
#   - include path and linker path get what `spboot prebuild` makes, at the beginning of each run;
#   - `spboot postbuild` runs behind each link; its files for production are $BUILD_DIR/spboot.hex and .elf, whatever
#     the version, for `upload_command`;
#   - the target spboot-release keeps a release.
#
# Options of the environment in platformio.ini: custom_spboot (the command, if not on PATH), custom_spboot_options (more
# options of postbuild).  The project file spboot.toml says the rest, or SPBOOT_BOARD and kin do.
import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

Import("env")

SPBOOT = env.GetProjectOption("custom_spboot", "spboot")
OPTIONS = shlex.split(env.GetProjectOption("custom_spboot_options", ""))
PROJECT = Path(env.subst("$PROJECT_DIR"))
FOLDER = Path(env.subst("$BUILD_DIR")) / "spboot"
LINKED = ("spboot.ld", "spboot-check.ld", "spboot-memory.ld", "bootloader.txt", "spboot_version.h")


def spboot(*arguments, stdout=None):
    """Exit code, and what it says to *stdout*.  Its own sentence says what is wrong."""
    sys.stdout.flush()
    done = subprocess.run((SPBOOT, *arguments), cwd=PROJECT, stdout=stdout, encoding="utf-8")
    return done.returncode, done.stdout


def behind_the_link(target, source, env):
    """The files of a version, and those for production beside the .elf under names that stay."""
    code, said = spboot("postbuild", target[0].abspath, "--json", *OPTIONS, stdout=subprocess.PIPE)
    if code:
        return code
    told = json.loads(said)
    for path in (PROJECT / told["folder"] / name for name in told["files"]):
        print(f"spboot: {path}")
        if path.name.startswith("BOOT_") and path.suffix in (".hex", ".elf"):
            shutil.copy(path, FOLDER.with_suffix(path.suffix))
    return 0


def release(target, source, env):
    return spboot("postbuild", source[0].abspath, "--release", *OPTIONS)[0]


def before():
    """In front of the platform: what it is compiled and linked with.  Projects and libraries take it over from here."""
    if not env.GetExtraScripts("post"):
        env.Exit("spboot: extra_scripts has its script with pre: alone; add the line with post:")
    code, _ = spboot("prebuild", str(FOLDER))
    if code:
        env.Exit(code)
    env.Append(CPPPATH=[str(FOLDER)], LIBPATH=[str(FOLDER)], SPBOOT_FOLDER=str(FOLDER))


def behind():
    """Behind the platform, which says what the .elf is called.  It is linked again when LINKED is new."""
    elf = env.File("$PROGPATH")
    env.Depends(elf, [str(FOLDER / name) for name in LINKED])
    env.AddPostAction("$PROGPATH", env.VerboseAction(behind_the_link, "spboot postbuild"))
    env.AddCustomTarget(
        "spboot-release", elf, env.VerboseAction(release, "spboot postbuild --release"),
        title="Keep a release", description="Patches of later versions start from it",
    )  # fmt: skip


if not env.IsCleanTarget():
    if "SPBOOT_FOLDER" in env:
        behind()
    else:
        before()
