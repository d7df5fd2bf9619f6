"""A debug probe at the port of a chip, and what read protection leaves of it.

Level 0 hides nothing.  At level 1 flash answers no probe, and from the moment that one is attached it answers the core
neither, until power is applied again (RM0351 3.5.1, RM0090 3.7.3, RM0444 3.5.1, RM0367 3.4.1).  At level 2 there is no
debug port.  STM32H5 has PRODUCT_STATE: OPEN is as level 0, LOCKED as level 2, all others as level 1 here, which
leaves debug authentication out (RM0481, FLASH_OPTSR)."""

from __future__ import annotations

from typing import Final

from spboot.errors import TwinError
from spboot.twin.host.gdb_memory import Memory
from spboot.twin.machine import Twin

_ADVICE: Final = "go to level 0 first, which erases all of flash"


class Probe:
    """One that was plugged in, and does nothing before `attach`.

    >>> probe = Probe(device.twin)
    >>> probe.attach()
    >>> probe.read(0x08000000, 4)
    TwinError: read protection level 1: flash at 0x08000000 answers no probe; go to level 0 first ...
    """

    def __init__(self, twin: Twin) -> None:
        self._twin = twin

    def attach(self) -> None:
        """Use the debug port.  Raises TwinError at level 2, which has none."""
        if self._twin.flash_controller.level == 2:
            raise TwinError("read protection level 2: there is no debug port any more")
        self._twin.probed = True

    def detach(self) -> None:
        """Leave.  At level 1 the core goes on after the next power-on only."""

    def read(self, address: int, size: int) -> bytes:
        """Memory, as the port reads it.  Raises TwinError for what is protected or not there, and when not attached."""
        if not self._twin.probed:
            raise TwinError("the probe is not attached: call attach() first")
        flash, level = self._twin.flash, self._twin.flash_controller.level
        if level and flash.holds(address):
            raise TwinError(f"read protection level {level}: flash at {address:#010x} answers no probe; {_ADVICE}")
        return Memory(self._twin).read(address, size)
