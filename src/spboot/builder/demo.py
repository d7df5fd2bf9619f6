"""Builds the demo application: an example of an application, and what the tests update."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from spboot.boards import Board
from spboot.builder import cargo, headers
from spboot.builder.bootloader import boot_version, include_folders, sources, work_folder
from spboot.builder.compiler import Toolchain, toolchain
from spboot.builder.linkinclude import link_check, link_include
from spboot.builder.program import Unit, compile_units
from spboot.builder.texts import Texts
from spboot.formats.spec import data_path
from spboot.version import Version

_SHARED = ("loader/console.c", "loader/sentence.c", "loader/ymodem.c", "boot/memory.c")
LINE = "boot/uart_line.c"
"""The polled console as line of console and YMODEM: of an application that has none of its own."""
_CARGO: Final = 92_000


def cargo_size(board: Board) -> int:
    """Bytes of generated firmware beside the demo's own in `spboot demo`; less where the slot is small."""
    return min(_CARGO, board.image_capacity * 6 // 10)


def build_demo(board: Board, version: Version, output: Path, *, compiler: str = "clang", cargo_size: int = 0) -> Path:
    """The .elf of the demo that calls itself *version*, in folder *output*.  Raises BuildError.

    *cargo_size*: bytes of generated firmware beside it, of the release that the version's second number says."""
    text = cargo.source(cargo_size, version.minor) if cargo_size else ""
    own = ["demo/start.c", "demo/main.c", LINE]
    return build_app(board, own, output / f"demo-{version}.elf", version, compiler, cargo_text=text)


def build_trial(board: Board, version: Version, output: Path, *, compiler: str = "clang") -> Path:
    """The .elf of an application that is on trial until somebody types c, in folder *output*.  Raises BuildError."""
    own = ["demo/start.c", "demo/trial.c", LINE]
    return build_app(board, own, output / f"trial-{version}.elf", version, compiler)


def build_app(
    board: Board, own: list[str], elf: Path, version: Version, compiler: str = "clang", *, cargo_text: str = ""
) -> Path:
    """Link the sources *own* (relative to firmware/, or absolute) with drivers, console and YMODEM into *elf*.

    Console and YMODEM need a line among *own*: LINE or another one."""
    tools = toolchain(compiler, board.chip.core)
    with work_folder(elf.parent) as work:
        if cargo_text:
            (work / "cargo.c").write_text(cargo_text, encoding="utf-8", newline="\n")
        _build_into(work, tools, board, own, version)
        (work / "demo.elf").replace(elf)
    return elf


def _build_into(work: Path, tools: Toolchain, board: Board, own: list[str], version: Version) -> None:
    """demo.elf in *work*."""
    firmware = data_path("firmware")
    bare = replace(board, usb=None)  # an application has a driver of its own, or none
    headers.write(work / "generated", bare, boot_version())
    (work / "demo_version.h").write_text(f'#define DEMO_VERSION "{version}"\n', encoding="utf-8")
    folders = (*include_folders("boot", (work / "generated").resolve()), str(work.resolve()))
    drivers = [name for name in sources(bare)["driver"] if "flash" not in name]
    units = [
        Unit(source=source, name=f"{Path(source).stem}_{number}", includes=folders)
        for number, source in enumerate([*own, *_SHARED, *drivers])
    ]
    objects = compile_units(tools, units, Texts(), work)
    script = (firmware / "demo" / "demo.ld").read_text(encoding="utf-8")
    if (work / "cargo.c").exists():
        tools.compile_file("cargo.c", (work / "cargo.o").resolve(), folders[-1:], work, cargo.OPTIONS)
        objects.append("cargo.o")
        script = cargo.linker_script(script)
    (work / "spboot.ld").write_text(link_include(board), encoding="utf-8", newline="\n")
    (work / "spboot-check.ld").write_text(link_check(board), encoding="utf-8", newline="\n")
    (work / "demo.ld").write_text(script, encoding="utf-8", newline="\n")
    tools.link_files(objects, "demo.ld", "demo.elf", work, library=".")
