"""The gates as the linker include defines them: functions for GNU ld, plain numbers for ld.lld, nothing in the image.

GNU ld 2.44 warns of a call to a plain number.  That is tried where `arm-none-eabi-ld`, or what SPBOOT_LD names,
is so new; that the gates have a type, for want of which it warns, is tested with any (docs/decisions/0103)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from spboot.boards import Board
from spboot.builder.compiler import target_of, zig_command
from spboot.builder.linkinclude import check_name, include_name, link_check, link_include
from spboot.formats import elf
from spboot.formats.spec import spec
from spboot.image import Image
from spboot.version import Version
from tests.system.application import script

VARIABLE: Final = "SPBOOT_LD"
"""Names a linker to use in the place of arm-none-eabi-ld: a GNU ld or an ld.lld."""
WARNS: Final = (2, 44)
"""The oldest release of GNU ld that was seen to warn."""
BOARDS: Final = ("NUCLEO-L476RG", "NUCLEO-L073RZ", "DISCO-L562E", "DISCO-H745I")
SOURCE: Final = """
int SE_PATCH_Poll(void), SE_PATCH_Abort(void);
extern unsigned _estack;
void Reset_Handler(void);
struct vectors { unsigned *stack; void (*handler[15])(void); };
__attribute__((section(".isr_vector"), used)) const struct vectors g_pfnVectors = {&_estack, {Reset_Handler}};
int (*volatile pointer)(void) = SE_PATCH_Poll;
__attribute__((section(".ramfunc"), noinline)) static int far(void) { return SE_PATCH_Poll() + 1; }
static int last(void) { return SE_PATCH_Abort(); }
int (*volatile tail)(void) = last;
int main(void) { return SE_PATCH_Poll() + pointer() + far() + tail(); }
void Reset_Handler(void) { (void)main(); for (;;) {} }
"""
"""Calls of gates near by, from RAM by a veneer, as the last thing that a function does, and through a pointer."""


@dataclass(frozen=True, slots=True)
class Linker:
    command: tuple[str, ...]
    gnu: bool

    def link(self, folder: Path, board: Board, include: str, *, first: str = "", name: str = "app") -> str:
        """Link `app.o` in *folder* with *include* and the checks, and say what the linker said.  It has to succeed."""
        (folder / check_name(board)).write_text(link_check(board))
        done = self.tried(folder, board, include, first + script(board), name)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def tried(
        self, folder: Path, board: Board, include: str, text: str, name: str = "app"
    ) -> subprocess.CompletedProcess[str]:
        """Link by the linker script *text*, however it ends."""
        (folder / include_name(board)).write_text(include)
        (folder / "app.ld").write_text(text)
        options = ["--no-warn-rwx-segments"] if self.gnu and _release(self.command[0]) >= (2, 39) else []
        command = [*self.command, *options, "--gc-sections", "-L.", "-T", "app.ld", "app.o", "-o", f"{name}.elf"]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def _release(program: str) -> tuple[int, int]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.(\d+)\S*$", said.splitlines()[0])
    assert found, said
    return int(found[1]), int(found[2])


@pytest.fixture(params=["arm-none-eabi-ld", "ld.lld"])
def linker(request: pytest.FixtureRequest) -> Linker:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("no arm-none-eabi-gcc here")
    if request.param == "ld.lld":
        return Linker((*zig_command(), "ld.lld"), gnu=False)
    found = shutil.which(os.environ.get(VARIABLE, "arm-none-eabi-ld"))
    assert found, f"{VARIABLE} names no program"
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    return Linker((found,), gnu="LLD" not in said)


def compile_app(folder: Path, board: Board, *options: str) -> None:
    (folder / "app.c").write_text(SOURCE)
    _, cpu = target_of(board.chip.core)
    flags = (f"-mcpu={cpu}", "-mthumb", "-Os", "-ffreestanding", "-ffunction-sections", *options)
    subprocess.run(["arm-none-eabi-gcc", *flags, "-c", "app.c"], cwd=folder, check=True)


def numbers(board: Board) -> dict[str, int]:
    """Gate -> what a call of it and a pointer to it have."""
    abi = spec()["abi"]
    first = board.bootloader.address + abi["gate_offset"] + 1
    return {name: first + number * abi["gate_stride"] for number, name in enumerate(abi["gates"])}


def plain(board: Board) -> str:
    """The include with gates that are plain numbers, as it was until 1.0.2."""
    text, count = re.subn(
        r"^(SE_\w+) = .*;$", lambda found: f"{found[1]} = {numbers(board)[found[1]]:#x};", link_include(board),
        flags=re.MULTILINE,
    )  # fmt: skip
    assert count == len(numbers(board))
    return text


def gates(path: Path) -> dict[str, tuple[int, bool]]:
    """Gate -> its value, and whether it is a function."""
    found = elf.symbols(path.name, path.read_bytes())
    return {each.name: (each.value, each.is_function) for each in found if each.name in spec()["abi"]["gates"]}


@pytest.mark.parametrize("name", BOARDS)
def test_gates_are_numbers_with_a_type(name: str, linker: Linker, tmp_path: Path) -> None:
    """And the image, its sections and its segments are those of plain numbers, to the byte."""
    board = Board.load(name)
    compile_app(tmp_path, board)
    linker.link(tmp_path, board, link_include(board))
    linker.link(tmp_path, board, plain(board), name="plain")
    app, same = tmp_path / "app.elf", tmp_path / "plain.elf"
    assert gates(app) == {gate: (value, linker.gnu) for gate, value in numbers(board).items()}
    assert elf.read("", app.read_bytes()) == elf.read("", same.read_bytes())
    assert elf.sections("", app.read_bytes()) == elf.sections("", same.read_bytes())
    image = Image.load(app, board, Version(1, 0, 0))
    assert image.data == Image.load(same, board, Version(1, 0, 0)).data
    assert numbers(board)["SE_PATCH_Poll"].to_bytes(4, "little") in image.data, "a pointer has bit 0 set"


def test_no_linker_warns_of_a_call(linker: Linker, tmp_path: Path) -> None:
    """Nor of anything else; a GNU ld that is new enough does warn of plain numbers."""
    board = Board.load(BOARDS[0])
    compile_app(tmp_path, board)
    if linker.gnu and _release(linker.command[0]) < WARNS:
        pytest.skip(f"this arm-none-eabi-ld warns of no call, and {VARIABLE} names none of 2.44 or later")
    assert linker.link(tmp_path, board, link_include(board)) == ""
    assert ("Forcing branch to absolute symbol" in linker.link(tmp_path, board, plain(board))) == linker.gnu


@pytest.mark.parametrize(
    ("renamed", "first", "typed"),
    [
        (("-DReset_Handler=start",), "", True),
        (("-Dmain=work",), "", True),
        (("-Dmain=work", "-DReset_Handler=start"), "", False),
        (("-Dmain=work", "-DReset_Handler=start"), "spboot_function = work;\n", True),
    ],
)
def test_where_the_type_comes_from(
    renamed: tuple[str, ...], first: str, typed: bool, linker: Linker, tmp_path: Path
) -> None:
    """From main, the reset handler or what the script names; with none of them the gates are plain numbers."""
    board = Board.load(BOARDS[0])
    compile_app(tmp_path, board, *renamed)
    linker.link(tmp_path, board, link_include(board), first=first)
    found = gates(tmp_path / "app.elf")
    assert found == {gate: (value, typed and linker.gnu) for gate, value in numbers(board).items()}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("ORIGIN = SPBOOT_FLASH_START", "ORIGIN = 0x08008000"), (".isr_vector : {", ".isr_vector : { LONG(1)")],
)
def test_the_include_alone_checks_the_vector_table(right: str, wrong: str, linker: Linker, tmp_path: Path) -> None:
    board = Board.load(BOARDS[0])
    compile_app(tmp_path, board)
    text = script(board).replace(f"INCLUDE {check_name(board)}\n", "")
    assert linker.tried(tmp_path, board, link_include(board), text).returncode == 0
    refused = linker.tried(tmp_path, board, link_include(board), text.replace(right, wrong))
    assert refused.returncode != 0
    assert "spboot: the vector table (g_pfnVectors) is not first in FLASH" in refused.stderr
