"""What ends a run of the twin besides its condition and the clock."""

from __future__ import annotations

from spboot.errors import TwinError


class PowerCut(Exception):  # noqa: N818 - an event that was asked for, not an error
    """The armed cut fired: the chip has no power until `Twin.power_on`."""


class LockupError(TwinError):
    """A fault while the handler of an earlier fault ran, or without a usable handler (ARMv7-M B1.5.15)."""
