"""Builds the demo application: an example of an application, and what the tests update."""

from __future__ import annotations

import shutil
from pathlib import Path

from spboot.boards import Board
from spboot.build import headers
from spboot.build.bootloader import boot_version, include_folders, sources, work_folder
from spboot.build.compiler import Toolchain, toolchain
from spboot.build.linkinclude import link_include
from spboot.formats.spec import data_path
from spboot.version import Version

_SHARED = ("loader/console.c", "loader/ymodem.c", "boot/memory.c", "boot/uart_line.c")


def build_demo(board: Board, version: Version, output: Path, *, compiler: str = "clang") -> Path:
    """The .elf of the demo that calls itself *version*, in folder *output*.  Raises BuildError."""
    return build_app(board, ["demo/start.c", "demo/main.c"], output / f"demo-{version}.elf", version, compiler)


def build_app(board: Board, own: list[str], elf: Path, version: Version, compiler: str = "clang") -> Path:
    """Link the sources *own* (relative to firmware/, or absolute) with drivers, console and YMODEM into *elf*."""
    tools = toolchain(compiler, board.chip.core)
    with work_folder(elf.parent) as work:
        _build_into(work, tools, board, own, version)
        (work / "demo.elf").replace(elf)
    return elf


def _build_into(work: Path, tools: Toolchain, board: Board, own: list[str], version: Version) -> None:
    """demo.elf in *work*."""
    firmware = data_path("firmware")
    headers.write(work / "generated", board, boot_version())
    (work / "demo_version.h").write_text(f'#define DEMO_VERSION "{version}"\n', encoding="utf-8")
    folders = [*include_folders("boot", (work / "generated").resolve()), str(work.resolve())]
    objects: list[str] = []
    drivers = [name for name in sources(board)["driver"] if "flash" not in name]
    for source in [*own, *_SHARED, *drivers]:
        target = f"{Path(source).stem}_{len(objects)}.o"
        tools.compile_file(source, (work / target).resolve(), folders, firmware)
        objects.append(target)
    (work / "spboot.ld").write_text(link_include(board), encoding="utf-8", newline="\n")
    shutil.copyfile(firmware / "demo" / "demo.ld", work / "demo.ld")
    tools.link_files(objects, "demo.ld", "demo.elf", work, library=".")
