"""What an update will do to the flash of a board: the pages that change, erases, programs and their time.

The order of operations is that of the firmware (core/candidate.c, install.c, journal.c); times and units are asked of
the twin's flash controller, so that there is one place for both.  `cost.measure` counts what really happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spboot import trial
from spboot.boards import Area, Board
from spboot.builder.drivers import drivers
from spboot.device.device import Device
from spboot.errors import BoardError, ExtraError
from spboot.formats.header import HEADER_SIZE
from spboot.formats.spec import record
from spboot.link import ymodem
from spboot.link.port import BITS

if TYPE_CHECKING:
    from spboot.twin.die import FlashController

_JOURNAL: Final = "journal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a device does to its flash for one update, and for how long.

    *changed*: numbers of the slot's pages that change, of *page_size* bytes each.  *trial*: those before are kept until
    NEW confirms itself.  *pages*: all that are erased, those of the journal too, as `Cost.pages` counts them."""

    page_size: int
    changed: tuple[int, ...]
    trial: bool
    pages: int
    erases: int
    programs: int
    flash_s: float | None
    """Seconds that flash is busy, typical of the data sheet; None where the twin is not installed."""


def forecast(board: Board, old: bytes, new: bytes) -> Forecast:
    """What the update from *old* to *new*, two images, does to *board*, not counting a confirmation.  SLOT0 is erased
    behind *old*, and its header changes.  Raises BoardError: a single slot.

    >>> forecast(board, old.data, new.data).changed[0]
    0
    """
    if board.slot1 is None or board.journal is None:
        raise BoardError(f"{board.name} has a single slot, which takes no patches: a full image erases all of it")
    changed = changed_pages(board, old, new)
    kept = trial.wanted(new, board) and len(changed) <= trial.room(board)
    erased = [board.journal]
    programs = [Area(address=board.journal.address, size=size) for size in _records(board, changed, kept)]
    for _ in changed if kept else ():  # all of SLOT1 is one memory: where does not matter
        erased.append(Area(address=board.slot1.address, size=board.page_size))
        programs.append(erased[-1])
    for page in changed:
        start = page * board.page_size
        used = min(board.vector_size + len(new) - start, board.page_size)
        for slot, unit in ((board.slot1, _write_size(board)), (board.slot0, _copy_unit(board))):
            erased.append(Area(address=slot.address + start, size=board.page_size))
            programs.append(Area(address=slot.address + start, size=-(-used // unit) * unit))
    homes = min(len(changed), trial.batch(board)) if kept else 0
    erases = [at for area in erased for at in range(area.address, area.end, _erase_unit(board, area))]
    controller = _controller(board)
    unit = controller.program_size() if controller else _program_unit(board)
    whole = _write_size(board) if _write_size(board) > _program_unit(board) else unit
    count = sum(area.size // whole + area.size % whole // unit for area in programs)
    return Forecast(
        page_size=board.page_size,
        changed=changed,
        trial=kept,
        pages=2 * len(changed) + homes + -(-board.journal.size // board.page_size),
        erases=len(erases),
        programs=count,
        flash_s=_seconds(controller, erases, count) if controller else None,
    )


def line_seconds(board: Board, size: int) -> float:
    """How long a file of *size* bytes takes on the console of *board*, by YMODEM."""
    return ymodem.wire_size(size) * BITS / board.console.baud


def changed_pages(board: Board, old: bytes, new: bytes) -> tuple[int, ...]:
    """The pages of a slot in which *new* differs from *old*; page 0 has the header, which always does."""
    erased = bytes([board.chip.memory_at(board.slot0.address).erased])
    gap = bytes(board.vector_size - HEADER_SIZE)
    before = b"o" * HEADER_SIZE + gap + old.ljust(len(new), erased)
    after = b"n" * HEADER_SIZE + gap + new
    starts = range(0, len(after), board.page_size)
    return tuple(
        at // board.page_size
        for at in starts
        if not before[at : at + board.page_size].startswith(after[at : at + board.page_size])
    )


def _records(board: Board, changed: tuple[int, ...], kept: bool) -> list[int]:
    """Bytes of each record in the journal: pages, the mark, steps: one at either end, of a trial two at its end."""
    unit = _program_unit(board)
    entry, mark = (-(-record(_JOURNAL, name).size // unit) * unit for name in ("entry_", "mark_"))
    batches = -(-len(changed) // trial.batch(board))
    steps = 2 * batches + 3 if kept else batches + 2
    return [entry] * (len(changed) + steps) + [mark]


def _program_unit(board: Board) -> int:
    return board.chip.memory_at(board.slot0.address).program_unit


def _write_size(board: Board) -> int:
    """Bytes that the firmware programs at a time where it can: on STM32L0 half-pages."""
    return max(_program_unit(board), drivers().write_size.get(board.chip.block("FLASH").ip, 0))


def _copy_unit(board: Board) -> int:
    return max(4, _program_unit(board))


def _erase_unit(board: Board, area: Area) -> int:
    return board.chip.memory_at(area.address).erase_unit


def _seconds(controller: FlashController, erases: list[int], programs: int) -> float:
    from spboot.twin.timeline import PS_PER_S

    busy = sum(controller.erase_span(at).typical for at in erases) + programs * controller.program_span().typical
    return busy / PS_PER_S


def _controller(board: Board) -> FlashController | None:
    """The twin's model of the flash controller; None where the twin is not installed."""
    try:
        return Device(board).twin.flash_controller
    except ExtraError:
        return None
