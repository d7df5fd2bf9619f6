"""Bootloaders for production: what protection they set at their first boot, for which boards and keys there are any.

docs/production.md says what a factory has to know of it, decision 0075 why it is so."""

from __future__ import annotations

from typing import Final, Literal, get_args

from spboot.boards import Board
from spboot.errors import BuildError
from spboot.keys import Keys

Production = Literal["wrp", "rdp1", "rdp2"]
"""Write protection of the bootloader alone; that and read protection level 1; or level 2."""

NAMES: Final[tuple[Production, ...]] = get_args(Production)
LEVELS: Final[dict[Production, int]] = {"wrp": 0, "rdp1": 1, "rdp2": 2}
"""What the chip has to be read protected by, at least."""

_WITHOUT_RDP: Final = "STM32H5"
"""PRODUCT_STATE stands there in its place (RM0481, FLASH_OPTSR)."""


def for_ever(production: Production) -> str:
    """What cannot be undone, in one sentence.

    >>> for_ever("rdp2")
    'Level 2 is for ever: no probe and no programmer reaches the chip again, ...'
    """
    return {
        "wrp": "Nothing is for ever: who has a probe takes write protection away again.",
        "rdp1": "Nothing is for ever, but the way back from level 1 to 0 erases all of flash, keys and application.",
        "rdp2": (
            "Level 2 is for ever: no probe and no programmer reaches the chip again, option bytes stay as they are, "
            "and a bootloader with a mistake or with keys that are lost cannot be replaced."
        ),
    }[production]


def phrase(board: Board, keys: Keys) -> str:
    """What a person types to confirm level 2: the product and the board, so that nobody does it for the wrong one.

    >>> phrase(board, keys)
    'lamp NUCLEO-L476RG'
    """
    return f"{keys.product} {board.name}"


def check(board: Board, keys: Keys, production: str, confirmation: str | None = None) -> Production:
    """*production*, if there can be such a bootloader for *board* with *keys*.

    *confirmation*: `phrase`, which level 2 asks for.  Raises BuildError for development keys; for a name or a level
    that the chip does not have; for level 2 without its confirmation."""
    known = next((name for name in NAMES if name == production), None)
    if known is None:
        raise BuildError(f"production {production!r}: expected {', '.join(NAMES[:-1])} or {NAMES[-1]}")
    if keys.development:
        raise BuildError(
            f"production {known} with development keys: anybody can sign for such a device, and it would be locked; "
            "make keys with `spboot keys new DIR --product NAME`"
        )
    if LEVELS[known] and board.chip.of_family.name.startswith(_WITHOUT_RDP):
        raise BuildError(
            f"production {known} for {board.name}: {board.chip.name} has no read protection level but PRODUCT_STATE, "
            "some values of which can never be left, so no bootloader of ours writes it; take wrp, and set it "
            "in the factory, to CLOSED once debug authentication is provisioned"
        )
    if known == "rdp2" and confirmation != phrase(board, keys):
        found = "nothing" if confirmation is None else repr(confirmation)
        raise BuildError(
            f"production rdp2 was not confirmed: {found} was given, expected {phrase(board, keys)!r}. {for_ever(known)}"
        )
    return known
