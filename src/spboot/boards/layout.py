"""What lies where on a board: every byte of flash and RAM belongs to one span."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from spboot.boards import Area, Board
from spboot.chips import Memory
from spboot.chips.external import External

_TITLES = {
    "bootloader": "bootloader",
    "slot0": "SLOT0",
    "slot0[1]": "SLOT0",
    "slot1": "SLOT1",
    "slot1[1]": "SLOT1",
    "journal": "journal",
    "keys": "keys",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A range of one memory.  *name* is "" for what nobody has taken."""

    name: str
    area: Area
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One bank of flash, external flash or one RAM, with its spans in order of their addresses."""

    title: str
    spans: tuple[Span, ...]
    outside: bool = False
    """External flash, which is no measure for the others."""

    @property
    def size(self) -> int:
        """Bytes of the whole part."""
        return sum(span.area.size for span in self.spans)


def size_text(size: int) -> str:
    """1536 -> "1.5 KB", 100 -> "100 bytes"."""
    if size % 1024 == 0:
        return f"{size // 1024} KB"
    return f"{size} bytes" if size < 1024 else f"{size / 1024:.4g} KB"


def flash_layout(board: Board) -> tuple[Part, ...]:
    """The flash of *board*, bank by bank."""
    parts = []
    for bank in sorted({run.bank for run in board.chip.flash}):
        runs = [run for run in board.chip.flash if run.bank == bank]
        *some, last = (size_text(unit) for unit in sorted({run.erase_unit for run in runs}))
        units = f"{', '.join(some)} and {last}" if some else last
        title = f"flash bank {bank}, erase units of {units}"
        parts.append(Part(title=title, spans=tuple(_flash_spans(board, runs))))
    if board.external is not None:
        parts.append(_external(board, board.external))
    return tuple(parts)


def _external(board: Board, external: External) -> Part:
    memory, chip = external.memory, external.chip
    chips = f"{external.count} x {chip.name}" if external.count > 1 else chip.name
    title = f"external flash, {chips} at {external.controller}, erase units of {size_text(memory.erase_unit)}"
    return Part(title=title, spans=tuple(_flash_spans(board, [memory])), outside=True)


def _flash_spans(board: Board, runs: list[Memory]) -> Iterator[Span]:
    at, end = runs[0].address, runs[-1].end
    for name, area in board.areas.items():
        start, stop = max(area.address, at), min(area.end, end)
        if start >= stop:
            continue
        if start > at:
            yield _free(at, start)
        note = _note(board, name) if start == area.address else "goes on"
        yield Span(name=_TITLES[name], area=Area(address=start, size=stop - start), note=note)
        at = stop
    if at < end:
        yield _free(at, end)


def _free(start: int, end: int) -> Span:
    return Span(name="", area=Area(address=start, size=end - start), note="free")


def _note(board: Board, name: str) -> str:
    pages = _pages(board.slot0.size, board.page_size)
    more = _pages(board.slot0.rest.size, board.rest_page_size) if board.slot0.rest else ""
    return {
        "bootloader": "starts at reset",
        "slot0": f"{pages}; image at {board.image_address:#010x}",
        "slot0[1]": f"{more}; the application's assets, not encrypted",
        "slot1": f"{pages}; what an update changes" + (", encrypted" if board.sealed else ""),
        "slot1[1]": f"{more}; what an update changes",
        "journal": "what to install, and how far that got",
        "keys": f"room for {board.key_records} keys after the first",
    }[name]


def _pages(size: int, page: int) -> str:
    return f"{size // page} pages of {size_text(page)}"


def ram_layout(board: Board) -> tuple[Part, ...]:
    """The RAM of *board*, memory by memory; the one with the reserved area first."""
    rams = sorted(board.chip.ram, key=lambda ram: (not ram.address <= board.ram.address < ram.end, ram.address))
    return tuple(Part(title=f"RAM {ram.name}", spans=tuple(_ram_spans(board, ram))) for ram in rams)


def _ram_spans(board: Board, ram: Memory) -> Iterator[Span]:
    if not ram.address <= board.ram.address < ram.end:
        yield _application(ram.address, ram.end)
        return
    if ram.address < board.ram.address:
        yield _application(ram.address, board.ram.address)
    yield Span(name="reserved", area=board.ram, note="stack and state of the bootloader's API")
    if board.ram.end < ram.end:
        yield _application(board.ram.end, ram.end)


def _application(start: int, end: int) -> Span:
    return Span(name="", area=Area(address=start, size=end - start), note="the application's")
