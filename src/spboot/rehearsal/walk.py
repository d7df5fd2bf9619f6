"""The cuts of a span of operations: what becomes of the device behind each.

A device without power is what its flash holds.  So a cut needs no run up to it: the operations before it are done on
the cells, the one that is cut in part, and the device is switched on.  And a unit of flash that such a life does not
look at before it is erased can hold anything: as long as the operations that are cut touch only such units, every cut
of them ends as that life did.  Most of an update is decided so; a cut of one in 16 operations is run all the same."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from spboot.errors import SpbootError
from spboot.rehearsal import cuts
from spboot.rehearsal.bench import Bench, Cells, Life, Operation, digest
from spboot.rehearsal.cuts import KINDS, Depth
from spboot.rehearsal.scenario import Track
from spboot.twin.memory.cells import FlashArray
from spboot.twin.memory.oplog import Cut
from spboot.twin.nor.cells import SparseCells

LOST: Final = "x"
_CHECKED: Final = 16
"""Of so many operations that nobody looks at one is cut and run."""
_SHOWN: Final = 6
"""Losses of a span that are told."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A point whose device is lost.  *id* repeats it: scenario, cut, and the cut in its recovery behind a "+"."""

    id: str
    words: str


@dataclass(slots=True, kw_only=True)
class Part:
    """What came of a span of the operations of a track."""

    rows: list[str] = field(default_factory=list)
    """For each operation, the outcome by KINDS: "o" old runs, "n" a new one, "l" the loader, "x" lost, "." none."""
    counts: Counter[str] = field(default_factory=Counter)
    """"points", and "unread" of them; lives that were run, "runs"; "seconds", second cuts; "checked", "updates",
    "watchdogs", "losses"."""
    losses: list[Loss] = field(default_factory=list)


class Walk:
    """One span of *track* on *bench*."""

    def __init__(self, bench: Bench, track: Track, depth: Depth) -> None:
        self._bench, self._track, self._depth = bench, track, depth
        self._cells, self._pending = bench.factory, list[Operation]()
        self._life: Life | None = None
        self._watched = range(0)
        self._lives: dict[bytes, Life] = {}
        self._seconds: dict[bytes, str] = {}
        """What is wrong with a device that has these cells after a second cut; nothing when it runs what it may."""
        self.part = Part()

    def over(self, span: range) -> Part:
        """The operations with these numbers."""
        operations = self._track.operations
        self._pending = list(operations[: span.start])
        for number in span:
            self._operation(number, operations[number])
            self._pending.append(operations[number])
        return self.part

    def _now(self) -> Cells:
        """What flash holds before the operation that is next."""
        if self._pending:
            self._cells = self._bench.done(self._cells, self._pending)
            self._pending.clear()
        return self._cells

    def _operation(self, number: int, operation: Operation) -> None:
        unit = self._erase_unit(operation)
        if unit != self._watched:
            self._watched, self._life = unit, None
            self._lives.clear()
        row = dict.fromkeys(KINDS, ".")
        if self._life is None:
            self._life = self._lived(Cut(at=number), self._now())
        untouched = self._life.touched.isdisjoint(self._units(operation))
        self._note(row, Cut(at=number), self._life)
        ways = [Cut(at=number, when="after"), *self._tears(number, operation)]
        checked = random.Random(number).randrange(_CHECKED) == 0
        if untouched:
            for cut in ways:
                self.part.counts["unread"] += 1
                self._note(row, cut, self._life)
            if checked:
                self._check(operation, ways)
        else:
            for cut in ways:
                self._note(row, cut, self._lived(cut, self._torn(operation, cut)))
            self._life = None
        self.part.rows.append("".join(row.values()))

    def _flash(self, operation: Operation) -> FlashArray | SparseCells:
        return self._bench.device.twin.cells(operation.address)

    def _tears(self, number: int, operation: Operation) -> Iterator[Cut]:
        return cuts.tears(number, operation, self._depth, ecc=self._flash(operation).ecc)

    def _torn(self, operation: Operation, cut: Cut) -> Cells:
        if cut.when == "after":
            return self._bench.done(self._now(), [operation])
        return self._bench.torn(self._now(), operation, cut)

    def _check(self, operation: Operation, ways: Sequence[Cut]) -> None:
        """Run one of the points that were decided without a run."""
        self.part.counts["checked"] += 1
        cut = ways[self.part.counts["checked"] % len(ways)]
        life = self._live(self._torn(operation, cut))
        assert self._life is not None
        if (life.outcome, life.operations) != (self._life.outcome, self._life.operations):
            self._lose(cut, f"ran another way than without the bits that nobody reads: {life.outcome or life.words}")
        elif self.part.counts["checked"] % self._depth.every == 0:
            self._updated(cut, life)

    def _live(self, cells: Cells) -> Life:
        return self._bench.live(cells, self._watched, hasty=self._track.hasty)

    def _lived(self, cut: Cut, cells: Cells) -> Life:
        """The life behind *cut*, with the cuts in its own recovery; once for the same cells."""
        name = digest(cells)
        if name in self._lives:
            return self._lives[name]
        life = self._lives[name] = self._live(cells)
        self.part.counts["runs"] += 1
        if life.outcome in self._track.allowed:
            self._cut_again(cut, cells, life)
            if self.part.counts["runs"] % self._depth.every == 0:
                self._updated(cut, life)
        return life

    def _cut_again(self, cut: Cut, cells: Cells, life: Life) -> None:
        """Cuts in the recovery: some of its operations, torn or not."""
        chance = random.Random(str(cut))
        numbers = range(len(life.operations))
        for number in sorted(chance.sample(numbers, min(len(numbers), self._depth.second))):
            operation = life.operations[number]
            ways = [Cut(at=number), *self._tears(number, operation)]
            way = chance.choice(ways)
            before = self._bench.done(cells, life.operations[:number])
            found = before if way.when == "before" else self._bench.torn(before, operation, way)
            self.part.counts["seconds"] += 1
            words = self._wrong(found)
            if words:
                self._lose(cut, words, way)

    def _wrong(self, cells: Cells) -> str:
        name = digest(cells)
        if name not in self._seconds:
            life = self._live(cells)
            allowed = life.outcome in self._track.allowed
            self._seconds[name] = "" if allowed else life.words or f"{life.outcome} runs"
        return self._seconds[name]

    def _updated(self, cut: Cut, life: Life) -> None:
        """Switched on once more it runs the same, or the version before a trial; and it takes an update."""
        subject, bench = self._bench.subject, self._bench
        again = bench.live(life.end, range(0, 1))
        if again.outcome not in {life.outcome, str(subject.old)}:
            self._lose(cut, f"{life.outcome} ran, and at the next start {again.outcome or again.words}")
            return
        newest = again.outcome == str(subject.new)
        name = "further" if newest else "image"
        update = subject.update(name)
        if update is None or again.outcome not in ("loader", str(subject.old), str(subject.new)):
            return
        self.part.counts["updates"] += 1
        try:
            found = bench.updated(update)
        except SpbootError as error:
            found = str(error)
        wanted = subject.further if newest else subject.new
        if found != str(wanted):
            self._lose(cut, f"{again.outcome} ran, and with the update to {wanted} behind it: {found}")

    def _note(self, row: dict[str, str], cut: Cut, life: Life) -> None:
        """A point came out as *life* did."""
        self.part.counts["points"] += 1
        lost = life.outcome not in self._track.allowed
        code = "l" if life.outcome == "loader" else "o" if life.outcome == str(self._bench.subject.old) else "n"
        kind = cuts.kind(cut)
        if lost:
            self._lose(cut, life.words or f"{life.outcome} runs")
        row[kind] = LOST if lost or row[kind] == LOST else code

    def _lose(self, cut: Cut, words: str, second: Cut | None = None) -> None:
        self.part.counts["losses"] += 1
        if len(self.part.losses) < _SHOWN:
            name = f"{self._track.scenario}/{cut}{f'+{second}' if second else ''}"
            self.part.losses.append(Loss(name, words))

    def _units(self, operation: Operation) -> range:
        unit = self._flash(operation).unit
        return range(operation.address - operation.address % unit, operation.address + len(operation.data), unit)

    def _erase_unit(self, operation: Operation) -> range:
        """The addresses that are looked at while operations on them are cut."""
        if operation.kind == "erase":
            return range(operation.address, operation.address + len(operation.data))
        return self._bench.subject.board.memory_at(operation.address).erase_unit_at(operation.address)
