"""`spboot flash`: the table of programmers, the lines that it makes, and the programmers themselves where they are.

No probe is on a machine of a test.  A line is right that its programmer reads to the end, and misses the probe only."""

from __future__ import annotations

import contextlib
import dataclasses
import doctest
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from spboot import boards, programmer
from spboot.boards import Board
from spboot.builder import personal
from spboot.keys import Keys
from spboot.programmer import FactoryFile, Found, ProgrammerError
from spboot.programmer.search import fits, locate
from spboot.programmer.table import Programmer, table

from . import bootloader, elf, hex_file
from .conftest import TARGET

ROWS = {row.name: row for row in table()}
posix = pytest.mark.skipif(os.name != "posix", reason="scripts of a POSIX shell")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, secrets: Keys) -> Path:
    """Bootloaders of some boards, as .hex, .bin and .elf, in a folder with a blank in its name."""
    home = tmp_path_factory.mktemp("with blank") / "my boards"
    home.mkdir()
    for name in (TARGET, "NUCLEO-F429ZI", "NUCLEO-L073RZ", "DISCO-H745I", "NUCLEO-H563ZI"):
        start, data = Board.load(name).bootloader.address, personal.finish(bootloader.make(name), secrets)
        (home / f"{name}.bin").write_bytes(data)
        (home / f"{name}.hex").write_bytes(hex_file.make([(start, data)]))
        (home / f"{name}.elf").write_bytes(elf.make([(start, data)]))
    return home


def file(folder: Path, kind: str = "hex", board: str = TARGET) -> FactoryFile:
    return FactoryFile.load(folder / f"{board}.{kind}", Board.load(board))


def found(name: str, given: FactoryFile, target: str = "") -> Found:
    return Found(programmer=ROWS[name], executable=Path(name), file=given, target=target)


def test_the_table_has_all_families() -> None:
    families = {Board.load(name).chip.family for name in boards.names()}
    assert families <= ROWS["openocd"].targets.keys()
    assert ROWS["openocd"].second_bank.keys() <= ROWS["openocd"].targets.keys()
    assert {row.name for row in table() if not row.targets and not row.lists_targets} == {"cubeprogrammer", "st-flash"}
    for row in table():
        assert all(row.format.get(kind) for kind in row.kinds) or "{format}" not in str(row.arguments)
        assert row.places.keys() <= {"linux", "darwin", "win32"}


LINES = {
    ("cubeprogrammer", "hex", None): "cubeprogrammer -c port=SWD -w {file} -v -rst",
    ("cubeprogrammer", "bin", "066F"): "cubeprogrammer -c port=SWD sn=066F -w {file} 0x08000000 -v -rst",
    ("cubeprogrammer", "elf", None): "cubeprogrammer -c port=SWD -w {file} -v -rst",
    ("pyocd", "hex", "066F"): "pyocd load --no-wait --target T --probe 066F --format hex {file}",
    ("pyocd", "bin", None): "pyocd load --no-wait --target T --format bin --base-address 0x08000000 {file}",
    ("pyocd", "elf", None): "pyocd load --no-wait --target T --format elf {file}",
    ("openocd", "hex", None): "openocd -f interface/stlink.cfg -f T -c 'program {{{path}}} verify reset exit'",
    ("openocd", "bin", "066F"): "openocd -f interface/stlink.cfg -c 'adapter serial 066F' -f T "
    "-c 'program {{{path}}} 0x08000000 verify reset exit'",
    ("openocd", "elf", None): "openocd -f interface/stlink.cfg -f T -c 'program {{{path}}} verify reset exit'",
    ("st-flash", "hex", None): "st-flash --reset --format ihex write {file}",
    ("st-flash", "bin", "066F"): "st-flash --serial 066F --reset --format binary write {file} 0x08000000",
}


@posix
@pytest.mark.parametrize(("name", "kind", "probe"), LINES, ids=str)
def test_lines(name: str, kind: str, probe: str | None, folder: Path) -> None:
    """As they are typed in a shell."""
    path = str(folder / f"{TARGET}.{kind}")
    target = "T" if name in ("pyocd", "openocd") else ""
    line = found(name, file(folder, kind), target).line(probe)
    assert programmer.shown(line) == LINES[name, kind, probe].format(file=shlex.quote(path), path=path)


@posix
def test_the_page_has_the_table_and_the_lines(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "programming.md").read_text(encoding="utf-8")
    shutil.copy(folder / f"{TARGET}.hex", tmp_path / "factory.hex")
    monkeypatch.chdir(tmp_path)
    given = FactoryFile.load(Path("factory.hex"), Board.load(TARGET))
    targets = {"pyocd": "stm32l476rgtx", "openocd": ROWS["openocd"].targets["STM32L4"]}
    for row in table():
        kinds = " ".join(f".{kind}" for kind in row.kinds)
        assert f"| {row.title} | `{row.executable}` | {row.install} | {kinds} |" in page
        chosen = dataclasses.replace(found(row.name, given, targets.get(row.name, "")), executable=Path(row.executable))
        assert f"    {programmer.shown(chosen.line())}\n" in page


def test_examples_in_docstrings() -> None:
    done = doctest.testmod(sys.modules["spboot.programmer.table"])
    assert (done.attempted, done.failed) == (1, 0)


def test_a_name_that_tcl_would_read_otherwise(folder: Path, tmp_path: Path) -> None:
    odd = tmp_path / "a}b.hex"
    shutil.copy(folder / f"{TARGET}.hex", odd)
    given = FactoryFile.load(odd, Board.load(TARGET))
    with pytest.raises(ProgrammerError, match="OpenOCD reads no name with braces or backslashes: rename"):
        found("openocd", given, "T").line()
    assert found("st-flash", given).line()[-1] == str(odd)


def test_names_of_packs() -> None:
    for target, part in {
        "stm32l476rgtx": "stm32l476rg",
        "stm32l475xg": "stm32l475vg",
        "stm32f429xi": "stm32f429zi",
        "stm32h745xihx": "stm32h745xi",
    }.items():
        assert fits(target, part)
    for target, part in {
        "stm32l476retx": "stm32l476rg",
        "stm32f051": "stm32f051c8",
        "stm32l475xg": "stm32l476rg",
    }.items():
        assert not fits(target, part)


# the programmers themselves


def here(name: str) -> Programmer:
    if locate(ROWS[name]) is None:
        pytest.skip(f"{ROWS[name].executable} is not here: {ROWS[name].install}")
    return ROWS[name]


@pytest.mark.parametrize("probe", [None, "066FFF484957847167073525"], ids=["any", "one"])
@pytest.mark.parametrize("kind", ["hex", "bin", "elf"])
@pytest.mark.parametrize("name", ROWS)
def test_a_real_programmer_misses_nothing_but_the_probe(name: str, kind: str, probe: str | None, folder: Path) -> None:
    if kind not in here(name).kinds:
        with pytest.raises(ProgrammerError, match=rf"takes no \.{kind}: give it the \.hex"):
            programmer.choose(file(folder, kind), name)
        return
    given = file(folder, kind, "NUCLEO-F429ZI")  # pyOCD knows it without a pack
    said: list[str] = []
    with pytest.raises(ProgrammerError, match="found no debug probe") as caught:
        programmer.run(programmer.choose(given, name), probe, on_line=said.append)
    assert (probe is None) == ("omit --probe" not in str(caught.value))
    assert said


@pytest.mark.parametrize("name", ROWS)
def test_a_real_programmer_refuses_a_line_that_is_wrong(name: str, folder: Path) -> None:
    """Else the test above would show nothing."""
    row = here(name)
    broken = tuple(tuple(f"{word}-x" if word[:1] == "-" else word for word in group) for group in row.arguments)
    chosen = programmer.choose(file(folder, board="NUCLEO-F429ZI"), name)
    wrong = dataclasses.replace(chosen, programmer=dataclasses.replace(row, arguments=broken))
    with pytest.raises(ProgrammerError, match="failed, exit code") as caught:
        programmer.run(wrong)
    assert "debug probe" not in str(caught.value)


def test_the_openocd_here_is_asked_for_its_targets(folder: Path) -> None:
    """Both banks, where they are two of OpenOCD; and H5, which 0.12 does not have."""
    here("openocd")
    for board, target in {
        TARGET: "target/stm32l4x.cfg",
        "NUCLEO-L073RZ": "target/stm32l0_dual_bank.cfg",
        "DISCO-H745I": "target/stm32h7x_dual_bank.cfg",
    }.items():
        assert programmer.choose(file(folder, board=board), "openocd").target == target
    has = subprocess.run(
        ["openocd", "-c", "find target/stm32h5x.cfg", "-c", "shutdown"], capture_output=True
    ).returncode
    if has != 0:
        with pytest.raises(ProgrammerError, match="OpenOCD does not know STM32H563ZI: a newer OpenOCD may have it"):
            programmer.choose(file(folder, board="NUCLEO-H563ZI"), "openocd")


def test_the_pyocd_here_is_asked_for_its_targets(folder: Path) -> None:
    here("pyocd")
    assert programmer.choose(file(folder, board="NUCLEO-F429ZI"), "pyocd").target == "stm32f429xi"
    known = subprocess.run([locate(ROWS["pyocd"]) or "", "json", "--targets"], capture_output=True, text=True).stdout
    if "stm32h563zi" not in known:
        with pytest.raises(ProgrammerError, match="pyOCD does not know STM32H563ZI: pyocd pack install stm32h563zi"):
            programmer.choose(file(folder, board="NUCLEO-H563ZI"), "pyocd")


# programmers of our own: programs in a folder that is all of PATH

MAIN = "from spboot.cli import main; main()"


def script(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{textwrap.dedent(body)}")
    path.chmod(0o755)


def flash(tools: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """`spboot flash` with no other programmers than those in *tools*; our Python is not beside one."""
    program = f"import sys; sys.executable = '/nowhere/python'\n{MAIN}"
    environment = {"PATH": str(tools), "PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(tools)}
    command = [sys.executable, "-c", program, "flash", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


@posix
def test_the_first_that_can(folder: Path, tmp_path: Path) -> None:
    """By the order of the table; who cannot is passed over."""
    image = folder / f"{TARGET}.hex"
    options = (image, "--board", TARGET, "--dry-run")
    none = flash(tmp_path, *options)
    assert none.returncode == 1
    for words in (
        "no programmer here: ",
        "STM32_Programmer_CLI",
        "pip install pyocd",
        "apt install openocd",
        "stlink-tools",
    ):
        assert words in none.stderr
    script(tmp_path, "st-flash", "exit 0")
    assert flash(tmp_path, *options).stdout.startswith(f"{tmp_path}/st-flash --reset")
    script(tmp_path, "openocd", "exit 0")
    assert flash(tmp_path, *options).stdout.startswith(f"{tmp_path}/openocd -f")
    script(tmp_path, "pyocd", """echo '{"targets": [{"name": "stm32f429xi"}]}'""")
    assert flash(tmp_path, *options).stdout.startswith(f"{tmp_path}/openocd -f"), "pyOCD does not know the part"
    script(tmp_path, "pyocd", """echo '{"targets": [{"name": "stm32l476rgtx"}]}'""")
    assert "--target stm32l476rgtx" in flash(tmp_path, *options).stdout
    place = tmp_path / "STMicroelectronics" / "STM32Cube" / "STM32CubeProgrammer" / "bin"
    place.mkdir(parents=True)
    script(place, "STM32_Programmer_CLI", "exit 0")
    if sys.platform == "linux":
        assert flash(tmp_path, *options).stdout.startswith(f"{place}/STM32_Programmer_CLI -c port=SWD -w")
    assert flash(tmp_path, *options, "--with", "st-flash").stdout.startswith(f"{tmp_path}/st-flash")
    done = flash(tmp_path, image, "--board", TARGET, "--with", "st-flash")
    assert (done.returncode, done.stdout) == (0, f"{image}: programmed\n")


@posix
def test_a_programmer_that_fails(folder: Path, tmp_path: Path) -> None:
    script(
        tmp_path, "st-flash", 'for n in 1 2 3 4 5 6 7 8; do echo "line $n"; done; echo "flash is locked" >&2; exit 7'
    )
    done = flash(tmp_path, folder / f"{TARGET}.hex", "--board", TARGET)
    assert done.returncode == 1
    assert "error: st-flash failed, exit code 7, its last lines:\n  line 4\n" in done.stderr
    assert done.stderr.endswith("  line 8\n  flash is locked\n")
    script(tmp_path, "st-flash", "exit 3")
    assert (
        "exit code 3, its last lines: without a word"
        in flash(tmp_path, folder / f"{TARGET}.hex", "--board", TARGET).stderr
    )
    script(tmp_path, "pyocd", "echo broken")
    done = flash(tmp_path, folder / f"{TARGET}.hex", "--board", TARGET, "--with", "pyocd")
    assert (done.returncode, "does not list its targets, exit code 0" in done.stderr) == (1, True)


@posix
def test_ctrl_c_ends_the_programmer(folder: Path, tmp_path: Path) -> None:
    script(tmp_path, "st-flash", f"echo $$ > {tmp_path}/started; exec {shutil.which('sleep')} 600")
    command = [
        sys.executable,
        "-c",
        MAIN,
        "flash",
        str(folder / f"{TARGET}.hex"),
        "--board",
        TARGET,
        "--with",
        "st-flash",
    ]
    environment = os.environ | {"PATH": str(tmp_path)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        number = ""
        while not number.endswith("\n") and time.monotonic() < deadline:  # it is there before it is written
            time.sleep(0.02)
            with contextlib.suppress(FileNotFoundError):
                number = (tmp_path / "started").read_text()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        with pytest.raises(ProcessLookupError):
            os.kill(int(number), 0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130
    assert "st-flash was ended: flash may be half written, so program it again" in err


def test_nothing_of_a_key_is_shown(folder: Path, secrets: Keys) -> None:
    assert bytes(secrets.encryption).hex() not in repr(file(folder)) + json.dumps(
        str(found("pyocd", file(folder), "T"))
    )
