"""What an update will do to the flash of a board: the pages that change, erases, programs and their time.

The order of operations is that of the firmware (core/candidate.c, install.c, journal.c); times and units are asked of
the twin's flash controller, so that there is one place for both.  `cost.measure` counts what really happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spboot import trial
from spboot.boards import Area, Board
from spboot.builder.drivers import drivers
from spboot.chips.external import EXTERNAL
from spboot.device.device import Device
from spboot.device.held import STEP, Held
from spboot.errors import BoardError, ExtraError
from spboot.formats.spec import record
from spboot.link import ymodem
from spboot.link.port import BITS

if TYPE_CHECKING:
    from spboot.twin.die import FlashController

_JOURNAL: Final = "journal"
_US_PER_S: Final = 1_000_000


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
    before, after = Held(board, old, rests[0]), Held(board, new, rests[1])
    changed = _changed(before, after)
    kept = trial.wanted(new, board) and trial.fits(board, changed)
    work = _Work(board)
    work.erase(board.journal)
    for size in _records(board, changed, kept):
        work.program(board.journal.address, size)
    homes = trial.homes(board, changed) if kept else []
    for address, size in _written(board, changed, homes, before, after):
        work.program(address, size)
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
    return _changed(Held(board, old, rests[0]), Held(board, new, rests[1]))


def _changed(before: Held, after: Held) -> tuple[int, ...]:
    return tuple(page for page in after.pages() if after.alike(before, page) < after.used(page))


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

    def program(self, address: int, size: int) -> None:
        """Program *size* bytes from *address* on, which were erased."""
        external = self._board.external
        if self._board.memory_at(address).kind == EXTERNAL and external is not None:
            steps, rest = divmod(size, STEP)
            sizes = [STEP] * steps + [rest] * bool(rest)
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


def _written(
    board: Board, changed: Sequence[int], homes: Sequence[int], before: Held, after: Held
) -> Iterator[tuple[int, int]]:
    """Where, and how many bytes, is programmed: pages of OLD that are kept, those of NEW in SLOT1, then in SLOT0."""
    slot0, slot1 = board.slot0, board.slot1
    assert slot1 is not None
    for page, home in zip(changed[::-1], homes, strict=False):
        size = board.page_at(page)[1]
        yield slot1.address_at(board.page_at(home)[0]), before.copied(page, size, sealed=board.sealed)
    gathered = max(_write_size(board), STEP if board.outside else 0)
    for page in changed:
        start, alike = board.page_at(page)[0], after.alike(before, page) // gathered * gathered
        first = before.copied(page, alike, sealed=board.sealed)
        yield slot1.address_at(start), first + after.used(page, gathered) - alike
        yield slot0.address_at(start), after.copied(page, after.used(page, _copy_unit(board)))


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
