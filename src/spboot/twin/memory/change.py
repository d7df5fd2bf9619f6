"""What one operation makes of flash cells: all of it, the part that a cut leaves, or what a worn page can still do."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, Protocol

from spboot.errors import TwinError
from spboot.twin.memory.ageing import Worn
from spboot.twin.memory.frail import FrailCells
from spboot.twin.memory.oplog import Cut, Kind, tear

_FAILING: Final = 0.75
"""Share of the units of a torn erase that fail their ECC, of those that read as old or as erased all the same."""
_FLAGGED: Final = 0.25
"""Share of its units whose ECC corrects a bit, where the fault is a single one."""
_MISSED: Final = 0.125
"""Share of the programs of a worn page that leave a bit erased."""


class Array(Protocol):
    """The cells that change."""

    unit: int
    erased: int
    ecc: bool
    poisoned: set[int]
    frail: FrailCells

    def get(self, address: int, size: int) -> bytes: ...
    def put(self, address: int, data: bytes) -> None: ...
    def store(self, address: int, data: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Change:
    """One operation on *flash*, for the log; *worn* is what it meets."""

    flash: Array
    kind: Kind
    worn: Worn | None

    def put(self, address: int, data: bytes) -> None:
        """It came to its end."""
        if self.worn is not None and self.worn.fails:
            return
        if self.kind == "program":
            self._program(address, data)
        else:
            self.flash.put(address, data)
        if self.worn is not None:
            self._leave_bits(self._units(address, len(data)))

    def _units(self, address: int, size: int) -> range:
        unit = self.flash.unit
        return range(address - address % unit, address + size, unit)

    def _program(self, address: int, data: bytes) -> None:
        flash, frail = self.flash, self.flash.frail
        units = self._units(address, len(data))
        if not any(unit in places for places in (frail.marginal, frail.weak, frail.corrected) for unit in units):
            flash.put(address, data)
            units = units[:0]
        for unit in units:
            low, high = max(address, unit), min(address + len(data), unit + flash.unit)
            touched = (1 << 8 * (high - low)) - 1 << 8 * (low - unit)
            part = int.from_bytes(data[low - address : high - address], "little") << 8 * (low - unit)
            held = int.from_bytes(flash.get(unit, flash.unit), "little")
            value, failed = frail.program(unit, held & ~touched | part, touched, ecc=flash.ecc)
            flash.store(unit, value.to_bytes(flash.unit, "little"))
            flash.poisoned.discard(unit)
            flash.poisoned |= {unit} if failed else set()

    def _leave_bits(self, units: range) -> None:
        """On a worn page an erase leaves some bits of a unit programmed, a program now and then some erased."""
        flash, chance = self.flash, self.flash.frail.chance()
        if self.kind == "program" and chance.random() >= _MISSED:
            return
        unit = chance.choice(units)
        held = int.from_bytes(flash.get(unit, flash.unit), "little")
        blank = int.from_bytes(bytes([flash.erased]) * flash.unit, "little")
        bits = [bit for bit in range(8 * flash.unit) if self.kind == "erase" or (held ^ blank) >> bit & 1]
        wrong = sum(1 << bit for bit in chance.sample(bits, min(len(bits), chance.choice((1, 2, 3)))))
        if flash.ecc and wrong.bit_count() == 1:
            flash.frail.corrected[unit] = wrong
        elif wrong:
            flash.store(unit, (held ^ wrong).to_bytes(flash.unit, "little"))
            flash.poisoned |= {unit} if flash.ecc else set()

    def tear(self, address: int, new: bytes, cut: Cut) -> None:
        """It was cut: do as much as *cut* says.  With ECC some of its units do not fit theirs.

        Raises TwinError when this operation cannot have that fault."""
        if cut.fault == "weak":
            self._tear_weakly(address, new, cut)
            return
        flash = self.flash
        units = self._units(address, len(new))
        span = len(units) * flash.unit
        old = flash.get(units[0], span)
        start = address - units[0]
        whole = old[:start] + new + old[start + len(new) :]
        if cut.fault == "single":
            self._tear_by_a_bit(units, old, whole, cut)
            return
        mixed = tear(old[start : start + len(new)], new, cut.pattern)
        bad = self._failing(units, old, whole, old[:start] + mixed + old[start + len(new) :], cut)
        if self.kind == "program":
            self._program(address, mixed)
        else:
            flash.put(address, mixed)
        if cut.fault == "marginal":
            flash.frail.leave_marginal(units, old, whole, cut.pattern[1], failing=cut.poison and flash.ecc)
            bad -= flash.frail.marginal.keys()
        flash.poisoned |= bad

    def _failing(self, units: range, old: bytes, new: bytes, mixed: bytes, cut: Cut) -> set[int]:
        """The units that fail their ECC after a tear."""
        if not (cut.poison and self.flash.ecc):
            return set()
        if len(units) == 1:
            return set(units)
        size, chance = self.flash.unit, random.Random(cut.pattern[1])
        parts = {unit: slice(size * number, size * (number + 1)) for number, unit in enumerate(units)}
        changed = [unit for unit, part in parts.items() if mixed[part] not in (old[part], new[part])]
        return {unit for unit in changed or units if chance.random() < _FAILING} or {units[0]}

    def _tear_weakly(self, address: int, new: bytes, cut: Cut) -> None:
        if self.kind != "erase":
            raise TwinError(
                f"cut {cut}: its operation is a program of {len(new)} bytes at {address:#010x}, and weak is of an "
                "erase: take the number of one"
            )
        old = self.flash.get(address, len(new))
        self.flash.put(address, new)
        self.flash.frail.leave_weak(self._units(address, len(new)), old, cut.pattern[1])

    def _tear_by_a_bit(self, units: range, old: bytes, new: bytes, cut: Cut) -> None:
        """Each unit is old or new; one bit of some is wrong, and corrected."""
        size, chance = self.flash.unit, random.Random(cut.pattern[1])
        parts = [slice(size * number, size * (number + 1)) for number in range(len(units))]
        chosen = [(old if chance.random() < 0.5 else new)[part] for part in parts]
        self.flash.put(units[0], b"".join(chosen))
        flagged = [unit for unit in units if chance.random() < _FLAGGED] if len(units) > 1 else list(units)
        for unit in flagged or units[:1]:
            self.flash.frail.leave_corrected(unit, chance)
