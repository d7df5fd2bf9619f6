"""What an update will do to the flash of a board: the pages that change, erases, programs and their time.

The order of operations is that of the firmware (core/candidate.c, install.c, journal.c); times and units are asked of
the twin's flash controller, so that there is one place for both.  `cost.measure` counts what really happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spboot import trial
from spboot.boards import Area, Board, Slot
from spboot.builder.drivers import drivers
from spboot.chips.external import EXTERNAL
from spboot.device.device import Device
from spboot.errors import BoardError, ExtraError
from spboot.formats.header import HEADER_SIZE
from spboot.formats.manifest import EXTENSION_SIZE
from spboot.formats.spec import record
from spboot.link import ymodem
from spboot.link.port import BITS

if TYPE_CHECKING:
    from spboot.twin.die import FlashController

_JOURNAL: Final = "journal"
_US_PER_S: Final = 1_000_000
_STEP: Final = 64
"""Bytes that are copied at a time (STEP of core/flash.c),"""
_LARGE_PAGE: Final = 0x2000
"""and of a page, above which erased ones are not (LARGE_PAGES)."""
_OUTSIDE_STEP: Final = 64
"""Bytes of a program of external flash (SPB_WRITE_SIZE of candidate.c, STEP of flash.c), by both chips where there are
two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a device does to its flash for one update, and for how long.

    *changed*: numbers of the slot's pages that change, of *page_size* bytes each; the last *outside* of them have
    *rest_page_size*, as they are in the second parts of the slots.  *trial*: those before are kept until NEW confirms
    itself.  *pages*: all that are erased, those of the journal too, as `Cost.pages` counts them."""

    page_size: int
    changed: tuple[int, ...]
    trial: bool
    pages: int
    erases: int
    programs: int
    flash_s: float | None
    """Seconds that flash is busy, typical of the data sheets; None where the twin is not installed."""
    rest_page_size: int = 0
    outside: int = 0


def forecast(board: Board, old: bytes, new: bytes, *, rests: tuple[bytes, bytes] = (b"", b"")) -> Forecast:
    """What the update from *old* to *new*, two images, does to *board*, not counting a confirmation.  SLOT0 is erased
    behind *old*, and its header changes.  *rests*: what both have for external flash.  Raises BoardError: a single
    slot.

    >>> forecast(board, old.data, new.data).changed[0]
    0
    """
    if board.slot1 is None or board.journal is None:
        raise BoardError(f"{board.name} has a single slot, which takes no patches: a full image erases all of it")
    changed = changed_pages(board, old, new, rests)
    kept = trial.wanted(new, board) and trial.fits(board, changed)
    work = _Work(board)
    work.erase(board.journal)
    for size in _records(board, changed, kept):
        work.program(board.journal, 0, size)
    homes = trial.homes(board, changed) if kept else []
    for slot, page, size in _written(board, changed, homes, _Held(board, old, rests[0]), _Held(board, new, rests[1])):
        work.program(slot, page, size)
    taken, saved = [*_taken(board, changed)], [*_copied(board, changed, homes, trial.batches(board)[1])]
    for slot, runs in (
        (board.slot1, taken),
        (board.slot1, saved),
        (board.slot0, _copied(board, changed, changed[::-1], 0)),
    ):
        for run in runs:
            start, (last, size) = board.page_at(run[0])[0], board.page_at(run[-1])
            work.erase(Area(address=slot.address_at(start), size=last + size - start))
    there = {page for run in (*taken, *saved) for page in run}
    return Forecast(
        page_size=board.page_size,
        changed=changed,
        trial=kept,
        pages=len(there) + len(changed) + -(-board.journal.size // board.page_size),
        erases=work.erases,
        programs=work.programs,
        flash_s=work.seconds,
        rest_page_size=board.rest_page_size if board.slot0.rest else 0,
        outside=trial.outside(board, changed),
    )


def told(found: Forecast) -> str:
    """How long flash is busy, in words for somebody who waits.

    >>> told(forecast(board, b"", new.data)).startswith("a device is busy with its flash for about ")
    True
    """
    if found.flash_s is None:
        return 'how long it takes a device: `pip install "spboot[twin]"` brings the times of the flash'
    minutes = round(found.flash_s / 60)
    about = f"{minutes} minutes" if minutes > 1 else f"{max(1, round(found.flash_s))} s"
    return f"a device is busy with its flash for about {about}"


def line_seconds(board: Board, size: int) -> float:
    """How long a file of *size* bytes takes on the console of *board*, by YMODEM."""
    return ymodem.wire_size(size) * BITS / board.console.baud


def changed_pages(board: Board, old: bytes, new: bytes, rests: tuple[bytes, bytes] = (b"", b"")) -> tuple[int, ...]:
    """The pages of a slot in which *new* differs from *old*; page 0 has the header, which always does.  *rests*: what
    both have for external flash."""
    erased = bytes([board.chip.memory_at(board.slot0.address).erased])
    gap = bytes(board.vector_size - HEADER_SIZE)
    before = b"o" * HEADER_SIZE + gap + old.ljust(len(new), erased)
    after = b"n" * HEADER_SIZE + gap + new
    first = board.slot0.size // board.page_size
    return (
        *_differing(before, after, board.page_size),
        *(first + page for page in _differing(rests[0].ljust(len(rests[1]), b"\xff"), rests[1], board.rest_page_size)),
    )


def _differing(before: bytes, after: bytes, size: int) -> Iterator[int]:
    """The pages of *size* bytes in which *after* is not what *before* is there."""
    for at in range(0, len(after), size):
        if not before[at : at + size].startswith(after[at : at + size]):
            yield at // size


class _Work:
    """Erases and programs, counted and timed as they come."""

    def __init__(self, board: Board) -> None:
        self.erases = self.programs = 0
        self._board = board
        self._controller = _controller(board)
        self._busy_s = 0.0

    @property
    def seconds(self) -> float | None:
        """How long flash is busy; None where that is not known."""
        return self._busy_s if self._controller else None

    def erase(self, area: Area) -> None:
        """Erase *area*, by blocks where it has whole ones, else unit by unit (spb_area_erase)."""
        memory = self._board.memory_at(area.address)
        external = self._board.external
        if memory.kind == EXTERNAL and external is not None:
            block, unit = self._board.block or memory.erase_unit, memory.erase_unit
            blocks = max(0, area.end // block - -(-area.address // block))
            for many, size in ((blocks, block), ((area.size - blocks * block) // unit, unit)):
                self.erases += many
                self._busy_s += many * external.chip.erase_us(size // external.count)[0] / _US_PER_S
            return
        units = range(area.address, area.end, memory.erase_unit)
        self.erases += len(units)
        if self._controller:
            from spboot.twin.timeline import PS_PER_S

            self._busy_s += sum(self._controller.erase_span(at).typical for at in units) / PS_PER_S

    def program(self, area: Area | Slot, page: int, size: int) -> None:
        """Program *size* bytes of a page of a slot, or of the journal, which were erased."""
        external = self._board.external
        address = area.address_at(self._board.page_at(page)[0]) if isinstance(area, Slot) else area.address
        if self._board.memory_at(address).kind == EXTERNAL and external is not None:
            steps, rest = divmod(size, _OUTSIDE_STEP)
            sizes = [_OUTSIDE_STEP] * steps + [rest] * bool(rest)
            self.programs += len(sizes)
            self._busy_s += sum(external.chip.program_us(size // external.count) for size in sizes) / _US_PER_S
            return
        small = self._controller.program_size() if self._controller else _program_unit(self._board)
        whole = _write_size(self._board) if _write_size(self._board) > _program_unit(self._board) else small
        count = size // whole + size % whole // small
        self.programs += count
        if self._controller:
            from spboot.twin.timeline import PS_PER_S

            self._busy_s += count * self._controller.program_span().typical / PS_PER_S


class _Held:
    """What a slot holds with an image: its header, erased bytes, the image, erased bytes."""

    def __init__(self, board: Board, image: bytes, rest: bytes) -> None:
        self._board = board
        self._erased = bytes([board.chip.memory_at(board.slot0.address).erased])
        header = HEADER_SIZE + (EXTENSION_SIZE if board.slot0.rest else 0)
        self._first = (b"h" * header).ljust(board.vector_size, self._erased) + image
        self._rest = rest

    def _page(self, number: int) -> bytes:
        start, size = self._board.page_at(number)
        behind = start - self._board.slot0.size
        if behind >= 0:
            return self._rest[behind : behind + size].ljust(size, b"\xff")
        return self._first[start : start + size].ljust(size, self._erased)

    def used(self, number: int, unit: int) -> int:
        """Bytes of page *number* up to the end of the image, in whole units."""
        start, size = self._board.page_at(number)
        behind = start - self._board.slot0.size
        used = min(len(self._rest) - behind if behind >= 0 else len(self._first) - start, size)
        return -(-used // unit) * unit

    def alike(self, other: _Held, number: int) -> int:
        """Bytes of page *number* before the first one that *other* has otherwise; the header always is."""
        mine, others = self._page(number), other._page(number)
        return next((at for at in range(len(mine)) if mine[at] != others[at]), 0) if number else 0

    def copied(self, number: int, size: int, *, sealed: bool = False) -> int:
        """Bytes that are programmed to copy the first *size* of page *number* (copy_step of core/flash.c): where pages
        are large, steps of erased bytes are not; *sealed* ones are none."""
        board = self._board
        start = board.page_at(number)[0]
        inside = start < board.slot0.size
        if board.page_size <= _LARGE_PAGE:
            return size
        page = self._page(number)[:size]
        if sealed and inside:
            plain = max(0, board.vector_size - start)
            page = page[:plain] + bytes(max(0, size - plain))
        erased = self._erased if inside else b"\xff"
        steps = (page[at : at + _STEP] for at in range(0, size, _STEP))
        return sum(len(step) for step in steps if step.strip(erased))


def _written(
    board: Board, changed: Sequence[int], homes: Sequence[int], before: _Held, after: _Held
) -> Iterator[tuple[Slot, int, int]]:
    """Slot, page and bytes of what is programmed: pages of OLD that are kept, those of NEW in SLOT1, then in SLOT0."""
    assert board.slot1 is not None
    for number, home in zip(changed[::-1], homes, strict=False):
        yield board.slot1, home, before.copied(number, board.page_at(number)[1], sealed=board.sealed)
    gathered = max(_write_size(board), _OUTSIDE_STEP if board.outside else 0)
    for number in changed:
        alike = after.alike(before, number) // gathered * gathered
        first = before.copied(number, alike, sealed=board.sealed)
        yield board.slot1, number, first + after.used(number, gathered) - alike
        yield board.slot0, number, after.copied(number, after.used(number, _copy_unit(board)))


def _taken(board: Board, changed: Sequence[int]) -> Iterator[range]:
    """Pages of SLOT1 that are erased at once while an update is taken (erase_page of core/candidate.c): a block behind
    half a block of pages that change."""
    bare, half = 0, board.block_pages // 2
    for index, page in enumerate(changed):
        if page < bare:
            continue
        starts = trial.block_of(board, page) != trial.block_of(board, page - 1)
        run = starts and index >= half and changed[index - half] == page - half
        yield range(page, page + (board.block_pages if run else 1))
        bare = page + board.block_pages if run else 0


def _copied(board: Board, changed: Sequence[int], into: Sequence[int], spare: int) -> Iterator[range]:
    """Pages that are erased at once while those *changed* are copied *into* others, in the order of an install
    (side_by_side of core/install.c): what is left of a batch, unless it goes to the first *spare* of them."""
    rank, outside = 0, trial.outside(board, changed) if board.block_pages else 0
    for end in trial.ends(board, changed) if into else ():
        while rank < end:
            run = spare <= rank < outside and into[rank] - into[end - 1] == end - 1 - rank
            last = end - 1 if run else rank
            yield range(into[last], into[rank] + 1)
            rank = last + 1


def _records(board: Board, changed: Sequence[int], kept: bool) -> list[int]:
    """Bytes of each record in the journal: pages, the mark, steps: one at either end, of a trial two at its end."""
    unit = _program_unit(board)
    entry, mark = (-(-record(_JOURNAL, name).size // unit) * unit for name in ("entry_", "mark_"))
    batches = len(trial.ends(board, changed))
    steps = 2 * batches + 3 if kept else batches + 2
    return [entry] * (len(changed) + steps) + [mark]


def _program_unit(board: Board) -> int:
    return board.chip.memory_at(board.slot0.address).program_unit


def _write_size(board: Board) -> int:
    """Bytes that the firmware programs at a time where it can: on STM32L0 half-pages."""
    return max(_program_unit(board), drivers().write_size.get(board.chip.block("FLASH").ip, 0))


def _copy_unit(board: Board) -> int:
    return max(4, _program_unit(board))


def _controller(board: Board) -> FlashController | None:
    """The twin's model of the flash controller; None where the twin is not installed."""
    try:
        return Device(board).twin.flash_controller
    except ExtraError:
        return None
