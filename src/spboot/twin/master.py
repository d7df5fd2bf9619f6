"""A bus master beside the core, as a DMA controller: what it reads and writes, past the core's caches."""

from __future__ import annotations

from typing import Final

from spboot.twin.die import Die

_CODE_END: Final = 0x2000_0000
_SYSTEM_MEMORY: Final = 0x1FF0_0000
_REGISTERS: Final = range(0x4000_0000, 0x6000_0000)
_TIGHT: Final = ("ITCM", "DTCM")
"""Memories in front of the caches."""


class Unreachable(Exception):  # noqa: N818 - it is an answer of the bus, not a fault of the twin
    """Nothing answers the master there: its bus reports an error."""


class Master:
    """The accesses of *name*.  They are aligned; addresses and values are those on the bus."""

    def __init__(self, die: Die, name: str) -> None:
        self._die = die
        self._beyond = frozenset(die.chip.of_family.beyond.get(name, ()))
        self._name = name

    def read(self, address: int, size: int) -> int:
        """*size* bytes at *address*.  Raises Unreachable; TwinError where the twin cannot follow."""
        if address in _REGISTERS and (value := self._die.bus.fetch(address, size)) is not None:
            return value
        place = self._die.rams.find(address, size)
        if place is not None:
            self._check(place.name, address)
            return int.from_bytes(place.buffer[place.offset : place.offset + size], "little")
        flash = self._die.flash
        if address >= flash.address and flash.holds(address):  # what the core sees elsewhere is its own view
            self._check("flash", address)
            self._check_ecc(address)
            return int.from_bytes(flash.get(address, size), "little")
        window = self._die.windows.at(address)
        if window is not None and (value := window.read(address, size)) is not None:
            return value
        if window is None:
            self._refuse_unknown(address)
        raise Unreachable(f"nothing at {address:#010x} answers {self._name}")

    def write(self, address: int, size: int, value: int) -> None:
        """Its lowest *size* bytes.  Raises Unreachable; TwinError where the twin cannot follow."""
        value &= (1 << 8 * size) - 1
        place = self._die.rams.find(address, size)
        if place is not None:
            self._check(place.name, address)
            place.buffer[place.offset : place.offset + size] = list(value.to_bytes(size, "little"))
            self._die.rams.changed(address, size)
            return
        if address in _REGISTERS and self._die.bus.put(address, size, value):
            return
        if (window := self._die.windows.at(address)) is not None:
            window.store(address)
        if self._die.flash.holds(address):
            self._die.refuse(f"{self._name} writes {address:#010x}", "the twin does not model DMA into flash")
        self._refuse_unknown(address)
        raise Unreachable(f"nothing at {address:#010x} answers {self._name}")

    def cached(self, address: int) -> bool:
        """Whether the core may have a copy of what is at *address* in its data cache."""
        place = self._die.rams.find(address, 1) if self._die.nvic.caches_data else None
        return place is not None and not place.name.startswith(_TIGHT)

    def _check(self, memory: str, address: int) -> None:
        if memory in self._beyond:
            raise Unreachable(f"{self._name} does not reach {memory} at {address:#010x}")

    def _check_ecc(self, address: int) -> None:
        flash = self._die.flash
        word = address - address % flash.unit
        if word in flash.poisoned or word in flash.frail.noticed:
            self._die.refuse(
                f"{self._name} reads {word:#010x}, which fails its ECC", "the twin does not model that error of DMA"
            )

    def _refuse_unknown(self, address: int) -> None:
        if _SYSTEM_MEMORY <= address < _CODE_END or self._die.chip.window_at(address):
            self._die.refuse(f"{self._name} accesses {address:#010x}", "the twin does not model DMA there")
