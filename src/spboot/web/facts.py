"""What the page knows of spec, boards and line: Python's own values as JSON, so that none is typed a second time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from spboot import boards
from spboot.boards import Board
from spboot.device.upgrade import LOADER_WORD
from spboot.errors import BoardError
from spboot.formats.manifest import IMAGE_MIN, LATER_KINDS, TABLE_SIZE
from spboot.formats.signature import SIGNATURE_SIZE
from spboot.formats.spec import Record, record, spec
from spboot.inspection import CHAINED, DAMAGED, UNCHECKED
from spboot.link import delivery, installed, ports, verdict, ymodem
from spboot.link.delivery import Delivery
from spboot.link.port import BAUD, BITS
from spboot.link.serial_port import STUCK_S

RATES: Final = (9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600)
_NAMES: Final = (
    *("SOH", "STX", "EOT", "ACK", "NAK", "CAN", "CALL", "TRIES", "SILENT_TRIES", "ANSWER_S", "CLOSE_S", "QUIET_S"),
    *("CALLS_S", "POKE_S", "KEY_S", "FORGET_S"),
)
"""Of the sender in Python."""
_STLINK: Final = "ST-LINK"

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """Whom a page is for.  *board*: None for any, *product* as well.  *name*: in its title.  *key*: what an application
    is asked by for an update, "" where the loader takes it.

    *vendors*: (vendor, product or None) of USB, of the ports that are offered; empty for those of the board, or all."""

    board: Board | None = None
    product: str | None = None
    name: str = ""
    key: str = ""
    vendors: tuple[tuple[int, int | None], ...] = ()

    @property
    def filters(self) -> list[dict[str, int]]:
        """As `requestPort` takes them; an ST-LINK where the board says that its console is one."""
        chosen = self.vendors
        if not chosen and self.board is not None and _STLINK in self.board.labels.console:
            chosen = ((ports.ST, None),)
        return [
            {"usbVendorId": vendor} | ({} if product is None else {"usbProductId": product})
            for vendor, product in chosen
        ]


def facts(purpose: Purpose) -> Facts:
    """All of it, for JSON."""
    return {
        "format": spec()["format"],
        "manifest": {**_layout(record("manifest")), **_numbers("manifest"), "image_min": IMAGE_MIN},
        "extension": {**_layout(record("extension")), **_numbers("extension")},
        "chunk": _numbers("chunk"),
        "signature_size": SIGNATURE_SIZE,
        "table_size": TABLE_SIZE,
        "later_kinds": {str(kind): what for kind, what in LATER_KINDS.items()},
        "status": spec()["status"]["codes"],
        "verdicts": {"damaged": DAMAGED, "unchecked": UNCHECKED, "chained": CHAINED},
        "boards": _boards(purpose.board),
        "line": _line(),
        "words": _words(),
        "purpose": _purpose(purpose),
    }


def _layout(layout: Record) -> Facts:
    return {
        "name": layout.name,
        "size": layout.size,
        "fields": [[field.name, field.type, field.offset, field.size] for field in layout.fields],
    }


def _numbers(table: str) -> Facts:
    return {name: value for name, value in spec()[table].items() if isinstance(value, int)}


def _boards(own: Board | None) -> Facts:
    known = {name: Board.load(name) for name in boards.all_names()}
    if own is not None:
        known[own.name] = own
    return {name: _board(board) for name, board in sorted(known.items())}


def _board(board: Board) -> Facts:
    rest = board.slot0.rest
    return {
        "baud": board.console.baud,
        "image_capacity": board.image_capacity,
        "slot": board.slot0.whole,
        "rest": None if rest is None else rest.size,
        "single": board.slot1 is None,
        "keys": board.key_records > 0,
    }


def _line() -> Facts:
    """Bytes, numbers and seconds of the talk: those of the sender in Python."""
    return {name.lower(): getattr(ymodem, name) for name in _NAMES} | {
        "transfers": delivery.TRANSFERS,
        "pauses": delivery.PAUSES,
        "timeout_s": Delivery().timeout_s,
        "quiet_after_s": Delivery().quiet_s,
        "block": Delivery().block,
        "bits": BITS,
        "stuck_s": STUCK_S,
        "load": LOADER_WORD.decode(),
        "baud": BAUD,
        "rates": RATES,
    }


def _words() -> Facts:
    """Expressions that find what matters in a device's text, which mean the same in both languages."""
    return {
        "banner": ymodem.BANNER.pattern.decode(),
        "installed": installed.SAID.pattern.decode(),
        "stamp": verdict.STAMP.pattern,
        "accepted": verdict.ACCEPTED.pattern,
        "refused": verdict.REFUSED.pattern,
    }


def _purpose(purpose: Purpose) -> Facts:
    board = purpose.board
    return {
        "name": purpose.name,
        "board": None if board is None else board.name,
        "product": purpose.product,
        "key": purpose.key,
        "baud": BAUD if board is None else board.console.baud,
        "filters": purpose.filters,
        "console": "" if board is None else board.labels.console,
        "button": "" if board is None else board.labels.button,
    }


def vendor(text: str) -> tuple[int, int | None]:
    """Vendor and product of USB, as "0483" or "0483:374b".  Raises BoardError."""
    parts = text.split(":")
    try:
        numbers = [int(part, 16) for part in parts]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 2 or not all(0 < number <= 0xFFFF for number in numbers):
        raise BoardError(
            f"{text!r} is no vendor of USB, expected four hex digits, as 0483, or two times four, 0483:374b"
        )
    return numbers[0], numbers[1] if len(numbers) > 1 else None
