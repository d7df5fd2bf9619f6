"""Which updates are on trial: those of an application that confirms itself (firmware/core/trial.h).

Nothing is to be set: an application that calls SE_APP_ConfirmActiveFw is on trial until it does, where a device has
room to keep the image before; one that never calls it would be given up at its first reset, and is installed for good.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

from spboot.boards import Board
from spboot.boards.model import SPARE_STEPS, journal_batch
from spboot.formats.spec import record, spec

CONFIRM: Final = "SE_APP_ConfirmActiveFw"
_NEAR: Final = 8
"""Halfwords in which the upper half of an address follows the lower one, where both are immediates."""


def gate(board: Board, function: str = CONFIRM) -> int:
    """Where applications for *board* call a *function* of the bootloader (the ABI table of docs/format.md).

    >>> hex(gate(Board.load("NUCLEO-L476RG")))
    '0x80000e8'
    """
    abi = spec()["abi"]
    return int(board.bootloader.address + abi["gate_offset"] + abi["gates"].index(function) * abi["gate_stride"])


def batches(board: Board) -> tuple[int, int]:
    """Pages that are saved, then replaced, from one step of an install to the next: of the first part of a slot, and of
    the second one."""
    first, rest = board.slot0.size // board.page_size, board.slot0.rest
    rest_pages = rest.size // board.rest_page_size if rest else 0
    return journal_batch(first, board.page_size), journal_batch(rest_pages, board.rest_page_size)


def room(board: Board) -> int:
    """Pages that an update on trial may change on *board* (firmware/core/trial.h); 0: it has no trials.

    A batch of SLOT1 stays free, and the journal has two steps for each batch; where slots have two parts, a batch of
    each of them does, and `fits` knows more.

    >>> room(Board.load("NUCLEO-L476RG"))
    208
    """
    free = _free(board)
    if board.slot0.rest is not None or not any(free):
        return sum(free)
    batch = batches(board)[0]
    return max(0, min(free[0], (_records(board) - 2) * batch // (batch + 2)))


def fits(board: Board, changed: Sequence[int]) -> bool:
    """Whether an update that changes these pages, in ascending order, can be on trial.

    >>> fits(Board.load("NUCLEO-L476RG"), range(209))
    False
    """
    if board.slot0.rest is None:
        return len(changed) <= room(board)
    first, free = len(changed) - outside(board, changed), _free(board)
    steps = len(ends(board, changed))
    return first <= free[0] and len(changed) - first <= free[1] and len(changed) + 2 * steps + 2 <= _records(board)


def outside(board: Board, changed: Sequence[int]) -> int:
    """How many of the pages *changed* are in the second parts of the slots."""
    return len(changed) - bisect_left(changed, board.slot0.size // board.page_size)


def ends(board: Board, changed: Sequence[int]) -> list[int]:
    """Where each batch of an install ends, in pages that are installed by then, the highest of *changed* first; where
    blocks are erased at once each batch is of one block (spb_journal_parts_end).

    >>> ends(Board.load("NUCLEO-L476RG"), range(20))
    [16, 20]
    """
    found, rest, ranks = [0], outside(board, changed), changed[::-1]
    while found[-1] < len(changed):
        rank = found[-1]
        end = min(rest if rank < rest else len(changed), rank + batches(board)[rank < rest])
        block = block_of(board, ranks[rank])
        found.append(next((n for n in range(rank + 1, end) if block_of(board, ranks[n]) != block), end))
    return found[1:]


def block_of(board: Board, page: int) -> int:
    """The number of the block that *page* is in, of the second part; -1: it is in none."""
    first = board.slot0.size // board.page_size
    return (page - first) // board.block_pages if board.block_pages and page >= first else -1


def homes(board: Board, changed: Sequence[int]) -> list[int]:
    """The pages of SLOT1 in which those *changed* are kept, the highest first (spb_trial_home)."""
    first = board.slot0.size // board.page_size
    found: list[int] = []
    listed = set(changed)
    for pages, batch, stop, start in (
        (board.pages, batches(board)[1], outside(board, changed), first),
        (first, batches(board)[0], len(changed), 0),
    ):
        ranks = [*reversed(changed)][len(found) : stop]
        spare = [page for page in range(pages - 1, start - 1, -1) if page not in listed][:batch]
        found += [*spare, *ranks][: len(ranks)]
    return found


def _free(board: Board) -> tuple[int, int]:
    """Pages of SLOT1's parts without a batch of each; none without trials."""
    if board.slot1 is None or board.journal is None or board.trial_starts == 0:
        return 0, 0
    sizes = board.slot1.size // board.page_size, (board.slot1.whole - board.slot1.size) // board.rest_page_size
    first, rest = (max(0, pages - batch) for pages, batch in zip(sizes, batches(board), strict=True))
    return first, rest


def _records(board: Board) -> int:
    """Records that the journal has room for, beside spare ones."""
    assert board.journal is not None
    unit = board.chip.memory_at(board.slot0.address).program_unit
    entry, mark = (-(-record("journal", name).size // unit) * unit for name in ("entry_", "mark_"))
    return (board.journal.size - mark) // entry - SPARE_STEPS


def wanted(image: bytes, board: Board) -> bool:
    """Whether updates to *image* are on trial on *board*: its bootloader has trials, and the application ends one."""
    return room(board) > 0 and confirms(image, board)


def told(image: bytes, board: Board, changed: Sequence[int] | None = None) -> str:
    """What becomes of an update to *image*, in a sentence; *changed*: its pages, None where it depends on the device.

    >>> told(bytes(1024), Board.load("NUCLEO-L476RG"))
    'no trial: the application never calls SE_APP_ConfirmActiveFw, so the update is installed for good'
    """
    most = room(board)
    if most == 0:
        why = f"{board.name} has a single slot" if board.slot1 is None else f"trial_starts of {board.name} is 0"
        if board.slot1 is not None and board.trial_starts:
            why = f"the slots of {board.name} have no page to spare"
        return f"no trial: {why}"
    if not confirms(image, board):
        return f"no trial: the application never calls {CONFIRM}, so the update is installed for good"
    if changed is not None and not fits(board, changed):
        return f"no trial: {len(changed)} pages change, there is room for {most}, so the update is installed for good"
    if changed is None and -(-(board.vector_size + len(image)) // board.page_size) > most:
        return f"on trial until it calls {CONFIRM}, where at most {most} pages change; else installed for good"
    return f"on trial until it calls {CONFIRM}; the version before comes back if it does not"


def confirms(image: bytes, board: Board) -> bool:
    """Whether the code of *image* calls SE_APP_ConfirmActiveFw of its bootloader: by a branch (BL, B.W), or by an
    address in a literal or in a pair of MOVW and MOVT.  Source: DDI0406 A8.8.25, A8.8.18, A8.8.102, A8.8.106.

    Bytes that only look like one of these are rare: one image of 16 MB in eight would have some by chance.

    >>> confirms(bytes(1024), Board.load("NUCLEO-L476RG"))
    False
    """
    wanted = gate(board)
    words = struct.unpack(f"<{len(image) // 4}I", image[: len(image) // 4 * 4])
    if wanted | 1 in words:
        return True
    halves = struct.unpack(f"<{len(image) // 2}H", image[: len(image) // 2 * 2])
    start = board.image_address
    return any(target == wanted for target in _branches(halves, start)) or (wanted | 1) in _moved(halves)


def _branches(halves: tuple[int, ...], start: int) -> Iterator[int]:
    for at in range(len(halves) - 1):
        first, second = halves[at], halves[at + 1]
        if first >> 11 != 0b11110 or second & 0x9000 != 0x9000:
            continue
        sign = first >> 10 & 1
        i1, i2 = (1 - ((second >> bit & 1) ^ sign) for bit in (13, 11))
        offset = sign << 24 | i1 << 23 | i2 << 22 | (first & 0x3FF) << 12 | (second & 0x7FF) << 1
        yield start + 2 * at + 4 + offset - (sign << 25)


def _moved(halves: tuple[int, ...]) -> Iterator[int]:
    """Values that a MOVW and a MOVT behind it put into one register."""
    low: dict[int, tuple[int, int]] = {}
    for at in range(len(halves) - 1):
        first, second = halves[at], halves[at + 1]
        if first & 0xFB70 != 0xF240 or second & 0x8000:
            continue
        value = (first & 15) << 12 | (first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | second & 0xFF
        register = second >> 8 & 15
        if not first & 0x80:
            low[register] = at, value
        elif register in low and at - low[register][0] <= _NEAR:
            yield value << 16 | low[register][1]
