"""A page for each board that comes with spboot: part, plan as a picture, pins, limits, seconds of an update."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from spboot import boards
from spboot.boards import Board, Pin
from spboot.boards.drawing import svg
from spboot.boards.layout import flash_layout, ram_layout, size_text
from spboot.errors import FormatError
from tools.site.costs import Update, load
from tools.site.pages import ROOT, Tree

_HEAD = """# Boards

Boards that come with spboot, each with its plan of flash and RAM. All of them run on their twins in the tests; none of
this was tried on silicon. A board of your own: [porting.md](../docs/porting.md).

| board | part | core | image, at most | slots | full image | patch |
|---|---|---|---|---|---|---|
"""
_COSTS = """Seconds of the twin's time for the two updates of `spboot demo`, an application of some 100 KB, less where
the slot is small, of which half of the pages change. Measured by `make costs`, kept in `tools/site/costs.json`.
"""


def write(tree: Tree) -> None:
    """All pages into the folder boards."""
    costs = load()
    limits = tomllib.loads((ROOT / "budgets.toml").read_text(encoding="utf-8"))
    rows = []
    for name in boards.names():
        board = Board.load(name)
        updates = costs.get(name)
        if updates is None:
            raise FormatError(f"tools/site/costs.json has nothing of {name}: run `make costs BOARDS={name}`")
        drawing = svg(f"{board.name}, {board.chip.name}", (*flash_layout(board), *ram_layout(board)))
        tree.write(f"boards/{name}.svg", drawing)
        tree.write(f"boards/{name}.md", "".join(_page(board, limits.get(name, {}), updates)))
        rows.append(_row(board, updates))
    listed = "\n".join(boards.names())
    text = f"{_HEAD}{''.join(rows)}\n{_COSTS}\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
    tree.write("boards/index.md", text)


def _row(board: Board, updates: list[Update]) -> str:
    seconds = {update.kind: f"{update.all_s:.1f} s" for update in updates}
    cells = (
        f"[{board.name}]({board.name}.md)",
        board.chip.name,
        board.chip.core,
        size_text(board.image_capacity),
        "two" if board.slot1 else "one",
        seconds["full image"],
        seconds.get("patch", "-"),
    )
    return f"| {' | '.join(cells)} |\n"


def _page(board: Board, limits: dict[str, Any], updates: list[Update]) -> Iterator[str]:
    yield f"# {board.name}\n\n| | |\n|---|---|\n"
    yield from (f"| {name} | {value} |\n" for name, value in _facts(board, limits))
    yield f"\n![Flash and RAM of {board.name}]({board.name}.svg)\n\n"
    yield f"The same in a terminal: `spboot map {board.name}`.\n\n## An update\n\n"
    yield "| | file | on the line | pages erased | flash busy | until it runs |\n|---|---|---|---|---|---|\n"
    for each in updates:
        sizes = f"{each.file_bytes:,} bytes for {each.image_bytes:,}"
        times = f"{each.line_s:.2f} s | {each.pages} | {each.flash_s:.2f} s | {each.all_s:.2f} s"
        yield f"| {each.kind} | {sizes} | {times} |\n"
    yield f"\n{_COSTS}"


def _facts(board: Board, limits: dict[str, Any]) -> Iterator[tuple[str, str]]:
    console = board.console
    yield "part", f"{board.chip.name}, {board.chip.core}"
    yield "clock", f"{board.clock_hz / 1_000_000:g} MHz"
    yield "supply", f"{board.vdd_mv} mV, core by {board.core_supply.upper()}"
    yield "console", f"{console.port}, TX {console.tx.name}, RX {console.rx.name}, {console.baud} baud 8N1"
    yield "button for the loader", _pin(board.button)
    yield "LED", _pin(board.led)
    if limits:
        room = f"{limits['flash']:,} bytes at most, of {board.bootloader.size:,} reserved"
        yield "bootloader", room
        yield "signature check", f"{limits['verify_cycles']:,} cycles at most"
    yield "reserved RAM", f"{board.ram.size:,} bytes from {board.ram.address:#010x}"
    yield "slots", f"{'two' if board.slot1 else 'one'} of {size_text(board.slot0.size)}"
    yield "image", f"linked at {board.image_address:#010x}, at most {board.image_capacity:,} bytes"
    yield "page", size_text(board.page_size)


def _pin(pin: Pin | None) -> str:
    return f"{pin.name}, active {'high' if pin.active_high else 'low'}" if pin else "none"
