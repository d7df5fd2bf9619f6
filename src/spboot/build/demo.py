"""Builds the demo application: an example of an application, and what the tests update."""

from __future__ import annotations

import shutil
from pathlib import Path

from spboot.boards import Board
from spboot.build import headers
from spboot.build.bootloader import boot_version, include_folders, sources
from spboot.build.compiler import toolchain
from spboot.build.linkinclude import link_check, link_include
from spboot.build.program import Unit, compile_units
from spboot.build.texts import Texts
from spboot.formats.spec import data_path
from spboot.version import Version

_SHARED = ("loader/console.c", "loader/sentence.c", "loader/ymodem.c", "boot/memory.c", "boot/uart_line.c")


def build_demo(board: Board, version: Version, output: Path, *, compiler: str = "clang") -> Path:
    """The .elf of the demo that calls itself *version*, in folder *output*.  Raises BuildError."""
    return build_app(board, ["demo/start.c", "demo/main.c"], output / f"demo-{version}.elf", version, compiler)


def build_app(board: Board, own: list[str], elf: Path, version: Version, compiler: str = "clang") -> Path:
    """Link the sources *own* (relative to firmware/, or absolute) with drivers, console and YMODEM into *elf*."""
    tools = toolchain(compiler, board.chip.core)
    firmware = data_path("firmware")
    work = elf.parent / f"work-{elf.stem}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    headers.write(work / "generated", board, boot_version())
    (work / "demo_version.h").write_text(f'#define DEMO_VERSION "{version}"\n', encoding="utf-8")
    folders = (*include_folders("boot", (work / "generated").resolve()), str(work.resolve()))
    drivers = [name for name in sources(board)["driver"] if "flash" not in name]
    units = [
        Unit(source=source, name=f"{Path(source).stem}_{number}", includes=folders)
        for number, source in enumerate([*own, *_SHARED, *drivers])
    ]
    objects = compile_units(tools, units, Texts(), work)
    (work / "spboot.ld").write_text(link_include(board), encoding="utf-8", newline="\n")
    (work / "spboot-check.ld").write_text(link_check(board), encoding="utf-8", newline="\n")
    shutil.copyfile(firmware / "demo" / "demo.ld", work / "demo.ld")
    tools.link_files(objects, "demo.ld", "demo.elf", work, library=".")
    shutil.move(work / "demo.elf", elf)
    shutil.rmtree(work)
    return elf
