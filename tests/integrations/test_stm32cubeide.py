"""STM32CubeIDE cannot be had here: its steps as its makefile runs them, its linker script as its managed build links
it, its debug configuration by gdb on the twin."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest

from tests.integrations.project import BOARD, SPBOOT, Project, built_and_updated

FLAGS = "-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard -mthumb"
COMPILE = f"{FLAGS} -std=gnu11 -g3 -DDEBUG -DSTM32L476xx -O0 -ffunction-sections -fdata-sections -Wall -MMD -MP"
LINK = f"{FLAGS} -T../STM32L476RGTX_FLASH.ld -Wl,-Map=lamp.map -Wl,--gc-sections -static -Lspboot"
LIBRARIES = "-nostdlib -Wl,--start-group -lgcc -Wl,--end-group"
"""The IDE has --specs=nano.specs and -lc -lm: our files need no C library."""
ARTIFACT = "${BuildArtifactFileName}"


@pytest.fixture(scope="module")
def built_once(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.new("stm32cubeide", tmp_path_factory.mktemp("ide") / "lamp", made=made)
    build(project, *steps(project))
    return project


@pytest.fixture
def project(built_once: Project, tmp_path: Path) -> Project:
    """Built in its folder Debug, as all that the IDE knows is relative to it."""
    return built_once.copy(tmp_path / "lamp")


def steps(project: Project) -> tuple[str, str]:
    """The lines of the guide for both steps."""
    text = (project.folder / "README.md").read_text()
    before, behind = (re.findall(rf"Build Steps, {name}-build steps\* \| `(.*)` \|", text) for name in ("Pre", "Post"))
    return before[0], behind[0]


def build(project: Project, before: str, behind: str) -> str:
    """As the IDE does: the makefile in Debug runs the steps by a shell, and compiles each source."""
    folder = project.folder / "Debug"
    folder.mkdir(exist_ok=True)
    said = project.run("sh", "-c", before, cwd=folder)
    objects = []
    for path in sorted(project.folder.rglob("*.[cs]")):
        objects.append(f"{path.stem}.o")
        source = f"../{path.relative_to(project.folder).as_posix()}"
        includes = "-I../Core/Inc -I../src -I../boards -Ispboot"
        options = (*COMPILE.split(), *includes.split())
        said += project.run("arm-none-eabi-gcc", source, "-c", *options, "-o", objects[-1], cwd=folder)
    (folder / "objects.list").write_text("\n".join(f'"./{each}"' for each in objects))
    said += project.run(
        "arm-none-eabi-gcc", "-o", "lamp.elf", "@objects.list", *LINK.split(), *LIBRARIES.split(), cwd=folder
    )
    return said + project.run("sh", "-c", behind.replace(ARTIFACT, "lamp.elf"), cwd=folder)


def test_the_steps_of_the_guide(project: Project) -> None:
    (before, behind), debug = steps(project), project.folder / "Debug"
    built_and_updated(
        project,
        lambda: build(project, before, behind),
        lambda: project.run("sh", "-c", f"{behind} --release".replace(ARTIFACT, "lamp.elf"), cwd=debug),
        Path("Debug/spboot/spboot_version.h"),
    )


def test_a_wrong_memory_is_refused_by_the_fragment(project: Project) -> None:
    """As a script that kept its own RAM would be."""
    folder = project.folder / "Debug"
    objects = [path.name for path in sorted(folder.glob("*.o"))]
    script = (project.folder / "STM32L476RGTX_FLASH.ld").read_text()
    (folder / "wrong.ld").write_text(script.replace("ORIGIN(RAM) + LENGTH(RAM)", "0x20001000"))
    link = LINK.replace("../STM32L476RGTX_FLASH.ld", "wrong.ld").split()
    done = project.tried("arm-none-eabi-gcc", "-o", "wrong.elf", *objects, *link, *LIBRARIES.split(), cwd=folder)
    assert done.returncode and "spboot: the stack (_estack) is in the bootloader's RAM" in done.stderr


def windows_words(line: str) -> list[str]:
    """The arguments of a command line, by Microsoft's rules ("Parsing C command-line arguments"): 2n backslashes before
    a quote are n, and one more makes the quote a letter; others are themselves."""
    words, word, quoted, started, at = [], "", False, False, 0
    while at < len(line):
        letter = line[at]
        if letter == "\\":
            count = len(line[at:]) - len(line[at:].lstrip("\\"))
            at += count
            if line[at : at + 1] == '"':
                word += "\\" * (count // 2) + ('"' if count % 2 else "")
                at += count % 2
            else:
                word += "\\" * count
            started = True
            continue
        if letter == '"':
            quoted, started = not quoted, True
        elif letter in " \t" and not quoted:
            words += [word] if started else []
            word, started = "", False
        else:
            word, started = word + letter, True
        at += 1
    return words + ([word] if started else [])


def test_windows_words_are_those_of_the_rules() -> None:
    """Python quotes by the same rules; the second line is Microsoft's own example."""
    for words in (["a b", 'c"d', "e\\", "f\\\\g h\\", ""], ["C:\\x y\\z.exe", "-o", "\\\\host\\share"]):
        assert windows_words(subprocess.list2cmdline(words)) == words
    assert windows_words(r'a\\\b d"e f"g h') == [r"a\\\b", "de fg", "h"]


def test_the_lines_with_folders(project: Project) -> None:
    """The Windows line by Windows' rules and by those of a POSIX shell; the Linux line run."""
    text = (project.folder / "README.md").read_text()
    windows, linux = re.findall(r'^    (".*(?:exe|spboot)" postbuild .*)$', text, re.M)
    line = windows.replace(ARTIFACT, "lamp.elf")
    wanted = [r"C:\Users\Ann Lee\venv\Scripts\spboot.exe", "postbuild", "lamp.elf"]
    assert windows_words(line) == wanted and shlex.split(line) == wanted
    place = project.folder.parent / "ann lee"
    place.mkdir()
    (place / "spboot").symlink_to(SPBOOT)
    here = linux.replace("/home/ann lee/venv/bin", str(place)).replace(ARTIFACT, "lamp.elf")
    assert "full image" in project.run("sh", "-c", here, cwd=project.folder / "Debug")


def test_the_debug_configuration(project: Project) -> None:
    """Well formed; what it tells gdb stops in the application, by a breakpoint of the hardware, with names of both."""
    tree = Xml.parse(project.folder / "lamp-debug.launch").getroot()
    assert tree.tag == "launchConfiguration"
    told = {each.get("key", "").rpartition(".")[2]: each.get("value", "") for each in tree}
    assert (told["loadImage"], told["setStopAt"], told["PROGRAM_NAME"]) == ("false", "true", "Debug/lamp.elf")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    factory = next(project.release("out", "1.0.0").folder.glob("BOOT_*.elf"))
    twin = subprocess.Popen([SPBOOT, "twin", BOARD, "--image", factory, "--pty", "board", "--gdb", str(port)],
                            cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    try:
        commands = ["set tcp connect-timeout 60", f"target remote localhost:{port}", *told["initCommands"].splitlines(),
                    f"tbreak {told['stopAt']}", "info mem", "continue",
                    "info address check_ourselves", "kill"]  # fmt: skip
        placed = [re.sub(r"\$\{workspace_loc:/lamp(.*)\}", rf"{project.folder}\1", each) for each in commands]
        words = [word for each in placed for word in ("-ex", each)]
        said = project.run("gdb-multiarch", "-nx", "--batch", *words, told["PROGRAM_NAME"])
    finally:
        twin.kill()
        twin.wait()
    assert "Temporary breakpoint 1, update_banner ()" in said, said
    assert 'Symbol "check_ourselves" is at 0x8' in said, said
    assert re.search(r"0x0*8000000 +0x0*8100000 +ro", said), said
    assert "automatically using hardware breakpoints for read-only addresses" in said, said
