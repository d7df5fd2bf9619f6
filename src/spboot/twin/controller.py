"""What the machine needs of a flash controller, whichever IP version models it."""

from __future__ import annotations

from typing import Protocol


class FlashController(Protocol):
    """Stores to flash and the outcome of its operations."""

    ECC: bool
    """Whether a word that a cut tore fails its ECC when it is read."""
    BUS_ERROR: bool
    """Such a read is answered with a bus error, otherwise by an NMI."""
    options: dict[str, int]
    """Option registers, which a reset loads."""
    refusals: list[str]
    """What was refused by an error flag, in words."""

    @property
    def busy(self) -> bool:
        """Whether an operation is under way."""

    @property
    def ecc_pending(self) -> bool:
        """Whether an uncorrectable error still asks for an NMI."""

    def store(self, address: int, size: int, value: int) -> None:
        """The core stores to the flash range.  Raises TwinError, PowerCut."""

    def ecc_detected(self, address: int) -> bool:
        """A load met the unit at *address*, which fails its ECC.  Whether an NMI is to be raised."""

    def check_latency(self) -> None:
        """Refuse a clock that the flash cannot follow.  Raises TwinError."""
