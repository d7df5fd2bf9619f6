"""Bits of flash that do not hold what they should: torn operations, erases that stopped early, worn pages leave them.

By program unit, and as numbers: bit 0 is the lowest of the first byte.  docs/faults.md has the models and their
sources.  What the seed decides is the same whenever the same things are done in the same order."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Final, Literal

Outcome = Literal["right", "corrected", "failed"]

_SHARES: Final = (1, 3, 6)
"""A bit that changes is marginal with a chance of 1 in 2, 8 or 64: of that many random numbers all must have it."""
_STUBBORN: Final = (1, 2, 8, 64)
"""How many bits an erase that stopped early leaves."""
_NEAR: Final = 256
"""Half of them are among the bytes before: heads and journals are at the start of a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marginal:
    """A unit with bits that read one way now and another later.

    *mask* has them.  *written* is what a whole program stored, None after a torn operation; *wrong* are the bits that
    never read so.  *failing*: where nothing whole was stored, most reads fail the ECC."""

    mask: int
    wrong: int = 0
    written: int | None = None
    failing: bool = False


class FrailCells:
    """The bits of one flash, whose units have *unit* bytes; an erased byte is *erased*."""

    def __init__(self, unit: int, erased: int, seed: int) -> None:
        self._unit = unit
        self._blank = int.from_bytes(bytes([erased]) * unit, "little")
        self._seed = seed
        self._draws = 0
        self.marginal: dict[int, Marginal] = {}
        self.weak: dict[int, int] = {}
        """Unit -> bits that read as erased until the unit is programmed."""
        self.corrected: dict[int, int] = {}
        """Unit -> the one bit that the ECC corrects at each read."""

    def chance(self) -> random.Random:
        """What decides next."""
        self._draws += 1
        return random.Random(self._seed * 1_000_003 + self._draws)

    @property
    def noticed(self) -> set[int]:
        """The units whose reading has to be watched."""
        return self.marginal.keys() | self.corrected.keys()

    def heal(self, units: range) -> None:
        """These units were erased, or stored from outside."""
        for places in (self.marginal, self.weak, self.corrected):
            few, many = (places, units) if len(places) < len(units) else (units, places)
            for unit in [unit for unit in few if unit in many]:
                del places[unit]

    def _bits(self, chance: random.Random, mask: int) -> int:
        return chance.getrandbits(8 * self._unit) & mask

    def read(self, unit: int, held: int) -> tuple[int, Outcome]:
        """What a read of *unit*, whose cells hold *held*, finds this time."""
        if unit in self.corrected:
            return held, "corrected"
        found = self.marginal[unit]
        chance = self.chance()
        if found.written is not None:
            wrong = found.wrong | self._bits(chance, found.mask)
            outcome: Outcome = ("right", "corrected", "failed")[min(wrong.bit_count(), 2)]
            return found.written ^ wrong if outcome == "failed" else found.written, outcome
        value = held & ~found.mask | self._bits(chance, found.mask)
        return value, "failed" if found.failing and chance.random() < 0.75 else "right"

    def passes(self, unit: int) -> bool:
        """Whether a unit that reads as erased passes the check before a program: not always where the ECC helped."""
        return unit not in self.corrected or self.chance().random() < 0.5

    def rested(self, unit: int, held: int) -> int:
        """*held* with its marginal bits as after an erase."""
        found = self.marginal.get(unit)
        return held if found is None else held & ~found.mask | self._blank & found.mask

    def program(self, unit: int, new: int, touched: int, *, ecc: bool) -> tuple[int, bool]:
        """*unit* becomes *new*, its *touched* bits by a program: what its cells hold then, and whether they fail their
        ECC.  A bit that an erase did not take far enough shows where it is to stay erased."""
        at_rest = ~(new ^ self._blank) & touched
        found = self.marginal.pop(unit, None)
        weak = self.weak.pop(unit, 0)
        if left := weak & ~touched:
            self.weak[unit] = left
        stubborn = (weak | self.corrected.pop(unit, 0)) & at_rest
        wrong = self._bits(self.chance(), stubborn) if stubborn else 0
        mask = stubborn & ~wrong
        if found is not None:
            mask |= found.mask & (at_rest | ~touched)
        if mask:
            self.marginal[unit] = Marginal(mask=mask, wrong=wrong, written=new if ecc else None)
            return new if ecc else new ^ wrong, False
        if ecc and wrong.bit_count() == 1:
            self.corrected[unit] = wrong
            return new, False
        return new ^ wrong, ecc and bool(wrong)

    def leave_marginal(self, units: range, old: bytes, new: bytes, seed: int, *, failing: bool) -> None:
        """The change of *units* from *old* to *new* stopped so that some bits are near neither."""
        changed = int.from_bytes(old, "little") ^ int.from_bytes(new, "little")
        chance, mask = random.Random(seed ^ 0x3A21), changed
        for _ in range(chance.choice(_SHARES)):
            mask &= chance.getrandbits(8 * len(old))
        mask = mask or changed & -changed
        bits = mask.to_bytes(len(old), "little")
        for number, unit in enumerate(units):
            part = int.from_bytes(bits[number * self._unit : (number + 1) * self._unit], "little")
            if part:
                self.marginal[unit] = Marginal(mask=part, failing=failing)

    def leave_weak(self, units: range, old: bytes, seed: int) -> None:
        """An erase of *units*, which held *old*, stopped when all bits just read as erased."""
        blank = self._blank & 0xFF
        used = [place for place, byte in enumerate(old) if byte != blank]
        near = used[: max(1, sum(place < _NEAR for place in used))]
        chance = random.Random(seed ^ 0x77EA)
        for number in range(chance.choice(_STUBBORN) if used else 0):
            place = chance.choice(used if number % 2 else near)
            bits = [bit for bit in range(8) if (old[place] ^ blank) >> bit & 1]
            unit, byte = units[place // self._unit], place % self._unit
            self.weak[unit] = self.weak.get(unit, 0) | 1 << 8 * byte + chance.choice(bits)

    def leave_corrected(self, unit: int, chance: random.Random) -> None:
        """One bit of *unit* is wrong, which its ECC corrects."""
        self.corrected[unit] = 1 << chance.randrange(8 * self._unit)

    def save(self) -> Any:
        """All state, of numbers and lists."""
        marginal = [[u, m.mask, m.wrong, m.written, m.failing] for u, m in sorted(self.marginal.items())]
        return [self._draws, marginal, sorted(self.weak.items()), sorted(self.corrected.items())]

    def load(self, state: Any) -> None:
        self._draws, marginal, weak, corrected = state
        self.marginal = {
            unit: Marginal(mask=mask, wrong=wrong, written=written, failing=failing)
            for unit, mask, wrong, written, failing in marginal
        }
        self.weak = dict(weak)
        self.corrected = dict(corrected)
