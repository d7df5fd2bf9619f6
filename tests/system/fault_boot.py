"""Faults in a boot: which points there are, and where the boot goes on from each of them.

The fault models are decisions 0040 and 0072: at one moment of the boot one execution of an instruction is another than
it should be, and everything before and after it is as ever.  A run ends when

    accepted   the core enters the image in SLOT0, which is not as signed and allowed, or what must not be installed
               is in SLOT0
    strayed    it fetches from another place in such a SLOT0, or from SLOT1: nobody took the image for good
    spoilt     SLOT0 was good and is no longer, but nothing was started: the loader takes a new image
    refused    the loader asks for a file, the image that may run is started, or the device says that it stops
    met        it is in a state that the boot without a fault was in, too: it goes on as that did, and is refused
    reset      the chip was reset; that boot is one without a fault
    hung       nothing of this in twice the instructions or 1.5 times the time of the boot without a fault, or in twice
               its CPU time and LONG_S
    unknown    the twin refuses something that silicon might take

Where flash is not as it would be without the fault, boots without a fault follow, up to their ends.
"""

from __future__ import annotations

import itertools
import math
import random
import re
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import unicorn

from spboot.boards import Area
from spboot.errors import FormatError, SpbootError
from spboot.formats import elf
from spboot.formats.header import HEADER_SIZE
from spboot.formats.spec import record
from spboot.twin.condition import condition
from spboot.twin.snapshot import Snapshot
from tests.at_rest import sealed
from tests.system.fault import KINDS
from tests.system.fingerprint import fingerprint
from tests.system.listing import Function, Listing
from tests.system.rig import Rig
from tests.system.striker import Point, Result, Strike, Striker
from tests.system.trace import Trace, sample

ARITHMETIC: Final = re.compile(
    r"(spb_)?(field|limbs|point_double|scalar|sha256_block|add_column|square|divide|reduce|halve|forget|shift_right|gather)"
)
"""A fault in these gives another wrong number: a sample is tried."""
DECIDES: Final = re.compile(
    r"judge|vouch|hashed|same|floor|fits|shape|install|acceptable|hand_over|spb_main|header|check|verdict|journal|mark"
    r"|misfit|below|where|difference|can_start|area_|memcmp|context_jump|OUTLINED|whole|all_of|go_back|copy|holds|pages"
    r"|place|trial|trust"
)
"""Of these every execution is tried, up to MANY."""
CLOCK: Final = re.compile(r"(last|rest|ms|first|patience)(\.[a-z0-9_.]+)?")
"""Variables of driver/tick.c, and how far the line is."""
MANY: Final = 12
ENDS: Final = (b"loader: send", b"self check failed", b"no keys")
"""What the device says when it will not start anything."""
ARITHMETIC_POINTS: Final = 80
LONG_S: Final = 4.0
"""Of CPU time, at least: several boots without a fault where they are short, but little for one whose work area a fault
has moved onto flash."""
READS: Final = re.compile(r"install|slot_header|area_read")
CHECKPOINTS: Final = 8
_RARELY: Final = 16
"""Looks at the end of a boot for one at the clock, which is a call of the system."""
_STRIDE: Final = 4000
_IMAGE_SIZE: Final = record("manifest").field("image_size").offset


class Boot:
    """One boot of *rig*, as it stands after its reset, run again and again.

    *allowed*: what SLOT0 may begin with when something in it runs, *rest*: what its second part may; *only*: the
    functions that faults are in (None: all)."""

    def __init__(
        self, rig: Rig, *, allowed: bytes, rest: bytes = b"", only: re.Pattern[str] | None = None, tail: float = 0.1
    ) -> None:
        self.rig, self.twin, self.allowed, self.rest, self.only = rig, rig.twin, allowed, rest, only
        self._good = self._is_allowed()
        vectors = rig.board.vector_size
        self._entry = int.from_bytes(allowed[vectors + 4 : vectors + 8], "little") & ~1
        self._clock = _words(rig, CLOCK)
        self._striker = Striker(rig.twin.core)
        self.listing = Listing(rig.shop.boot.elf, rig.twin)
        self._start = self._here = self.twin.snapshot()
        self._base = self.twin.instructions
        self._flash = {self._cells()}
        self._fetched: int | None = None
        self._was_reset = self._met = False
        self._known: set[int] = set()
        self._recording: list[tuple[int, int]] | None = None
        self._watch_slots()
        self._watch_reset()
        self._follow(tail)
        self._checkpoints()
        self._arithmetic = self._step_through() if only is None else []

    # watching

    def _is_allowed(self) -> bool:
        """Whether SLOT0 holds what may run: header and image.  What is between them nobody signs, and nothing uses."""
        slot0, vectors = self.rig.board.slot0, self.rig.board.vector_size
        there = self.twin.flash_read(slot0.address, len(self.allowed))
        wanted = self.allowed[:HEADER_SIZE], self.allowed[vectors:]
        return (there[:HEADER_SIZE], there[vectors:]) == wanted and self._holds(slot0.rest, self.rest)

    def _holds(self, area: Area | None, content: bytes) -> bool:
        return area is None or self.twin.flash_read(area.address, len(content)) == content

    def _cells(self) -> tuple[object, ...]:
        """All flash; of what is outside the blocks that are not erased."""
        outside = (package.cells.blocks for package in self.twin.external.values())
        return bytes(self.twin.flash.cells), *(
            tuple((at, bytes(b)) for at, b in sorted(each.items())) for each in outside
        )

    def _judged(self, address: int) -> str:
        """What a fetch from *address*, in a slot, is."""
        slot0 = self.rig.board.slot0
        if slot0.address <= address < slot0.end and self._is_allowed():
            return "refused"
        return "accepted" if address == self._entry else "strayed"

    def _is_installed(self) -> bool:
        """Whether all of what SLOT1 holds is in SLOT0."""
        board = self.rig.board
        if board.slot1 is None:
            return False
        used = board.vector_size + int.from_bytes(self.twin.flash_read(board.slot1.address + _IMAGE_SIZE, 4), "little")
        waits = self.twin.flash_read(board.slot1.address, min(used, board.slot1.size))
        if board.sealed:
            try:
                waits = sealed(waits, self.rig.shop.keys.cipher_key, board.vector_size)
            except FormatError:
                return False
        rest = board.slot1.rest
        theirs = self.twin.flash_read(rest.address, len(self.rest)) if rest else b""
        return self._holds(board.slot0, waits) and self._holds(board.slot0.rest, theirs.rstrip(b"\xff"))

    def _watch_slots(self) -> None:
        def fetched(_uc: Any, address: int, *_: Any) -> None:
            if self._fetched is None:
                self._fetched = address
            self.twin.core.end_slice()

        areas = [area for area in (self.rig.board.slot0, self.rig.board.slot1) if area is not None]
        for area in areas:
            self.twin.core.uc.hook_add(unicorn.UC_HOOK_CODE, fetched, begin=area.address, end=area.end - 1)
        self.twin.core.uc.ctl_flush_tb()  # code that was translated before a hook does not know it

    def _watch_reset(self) -> None:
        reset = self.twin.reset

        def noted(cause: Any = "pin") -> None:
            self._was_reset = True
            reset(cause)

        self.twin.reset = noted  # type: ignore[method-assign]

    def _wanted(self, function: Function) -> bool:
        if self.only is not None:
            return self.only.search(function.name) is not None
        return ARITHMETIC.match(function.name) is None

    # the boot without a fault

    def _follow(self, tail: float) -> None:
        """Run it once, noting each instruction of the functions wanted."""
        trace = self.trace = Trace(self.twin, filter(self._wanted, self.listing.functions))
        began, worked, self._long = self.twin.time, time.process_time(), math.inf
        self.unfaulted = self._end(1 << 40, 100.0)
        self.prompted = self.twin.instructions - self._base
        self._patience = 1.5 * (self.twin.time - began) + 0.1
        self._long = max(LONG_S, 2.0 * (time.process_time() - worked))
        if self.unfaulted == "refused" and self._fetched is None:
            self.twin.run(seconds=tail)
        trace.end()
        self.length = self.twin.instructions - self._base
        self._flash.add(self._cells())

    def points(self, *, thin: int = 1, seed: int = 0) -> list[Point]:
        """Where a fault is, one a run: in functions that decide every execution up to MANY, elsewhere the first and the
        last, of the arithmetic a sample.  Of what comes before a slot is read, as in every boot, one of *thin*."""
        trace, chance = self.trace, random.Random(seed)
        chosen: set[int] = set()
        for address, hits in trace.executions().items():
            function = self.listing.function(address)
            if function is None or not DECIDES.search(function.name):
                chosen.update([hits[0], hits[-1]])
            elif len(hits) <= MANY:
                chosen.update(hits)
            else:
                chosen.update([*hits[:3], *hits[-3:], *chance.sample(hits, 3)])
        points = {trace.indices[n]: trace.point(n) for n in chosen}
        for point in self._arithmetic:
            points.setdefault(point.index, point)
        ordered = [points[index] for index in sorted(points)]
        first = self._first_read()
        return [point for n, point in enumerate(ordered) if point.index >= first or n % thin == 0]

    def _first_read(self) -> int:
        """The number of the first instruction of a function that reads slots."""
        readers, trace = self.listing.named(READS), self.trace
        found = (
            i for i, a in zip(trace.indices, trace.addresses, strict=True) if any(f.start <= a < f.end for f in readers)
        )
        return next(found, 0)

    def strikes(self, kind: str, number: int | None = None, *, thin: int = 1, seed: int = 0) -> list[Strike]:
        """The faults of a *kind* at all points, or *number* of them."""
        return sample(self.trace.strikes(self.points(thin=thin, seed=seed), KINDS[kind]), number, seed)

    def executions(self, words: re.Pattern[str], most: int) -> list[Point]:
        """*most* executions at random of each instruction whose place has *words* in it."""
        where = self.trace.executions()
        hits = [where[address] for address in sorted(where) if words.search(self.listing.place(address))]
        chance = random.Random(0)
        chosen = sorted(n for each in hits for n in chance.sample(each, min(most, len(each))))
        return [self.trace.point(n) for n in chosen]

    def first_read_of(self, address: int) -> Point:
        """The first load that reads the byte at *address*."""
        core, found = self.twin.core, list[Point]()

        def seen(_uc: Any, _access: int, at: int, size: int, *_: Any) -> None:
            if at <= address < at + size:
                found.append(Point(core.executed - 1 - self._base, core.pc))

        hook = core.uc.hook_add(unicorn.UC_HOOK_MEM_READ, seen, begin=address - 7, end=address)
        core.uc.ctl_flush_tb()
        self._restore(self._start)
        self.twin.run(until=lambda: bool(found), seconds=100.0)
        core.uc.hook_del(hook)
        core.uc.ctl_flush_tb()
        return found[0]

    def _step_through(self) -> list[Point]:
        """Points spread evenly over the boot, for the arithmetic, which is not in the trace."""
        points: list[Point] = []
        self._restore(self._start)
        for index in range(0, self.prompted, max(1, self.length // ARITHMETIC_POINTS)):
            self.twin.run(instructions=max(1, self._base + index - self.twin.instructions), seconds=100.0)
            points.append(Point(self.twin.instructions - self._base, self.twin.core.pc))
        return [point for point in points if not self.trace.under_it(point.address)]

    # states that both boots are in

    def _checkpoints(self) -> None:
        """Choose addresses that few instructions lie before, wherever the fault was, and note the states there."""
        trace = self.trace
        rare = [a for a, n in Counter(trace.addresses).items() if n <= 40 and not trace.under_it(a)]
        chance = random.Random(1)
        hits: dict[int, list[int]] = {a: [] for a in (chance.sample(rare, 250) if len(rare) > 250 else rare)}
        for n, address in enumerate(trace.addresses):
            if address in hits:
                hits[address].append(trace.indices[n])
        spots = sorted(chance.sample(trace.indices, min(300, len(trace.indices))))
        nearest = [self.length] * len(spots)
        chosen: list[int] = []
        for _ in range(CHECKPOINTS):
            best = min(hits, key=lambda a: sum(_next(hits[a], s, old) for s, old in zip(spots, nearest, strict=True)))
            nearest = [min(old, _next(hits[best], s, old)) for s, old in zip(spots, nearest, strict=True)]
            chosen.append(best)

        def passed(_uc: Any, _address: int, *_: Any) -> None:
            if self._recording is not None:
                state = fingerprint(self.rig, self._clock)
                if state is not None:
                    self._known.add(state)
            elif self._striker.done and not self._met and fingerprint(self.rig, self._clock) in self._known:
                self._met = True
                self.twin.core.end_slice()

        for address in chosen:
            self.twin.core.uc.hook_add(unicorn.UC_HOOK_CODE, passed, begin=address, end=address)
        self.twin.core.uc.ctl_flush_tb()
        self._recording = []
        self._restore(self._start)
        again = self._end(1 << 40, 100.0)
        assert (again, self.twin.instructions - self._base) == (self.unfaulted, self.prompted), "boots differ"
        self._recording = None

    def _restore(self, snapshot: Snapshot) -> None:
        self.twin.restore(snapshot)
        self._fetched, self._was_reset, self._met = None, False, False

    # boots with a fault

    def _end(self, instructions: int, seconds: float) -> str:
        """Run up to an end; its name."""
        said = [condition(self.twin.uarts, words) for words in ENDS]
        last = self.twin.instructions + instructions
        deadline, looks = time.process_time() + self._long, itertools.count(1)

        def over() -> bool:
            return (
                self._fetched is not None
                or self._was_reset
                or self._met
                or any(word() for word in said)
                or self.twin.instructions >= last
                or (next(looks) % _RARELY == 0 and time.process_time() >= deadline)
            )

        ended = self.twin.run(until=over, seconds=seconds) and time.process_time() < deadline
        if self._fetched is not None:
            return self._judged(self._fetched)
        if self._was_reset:
            return "reset"
        if self._met:
            return "met"
        return "refused" if ended and self.twin.instructions < last else "hung"

    def struck(self, strike: Strike) -> Result:
        """The boot with *strike*.  They must come in ascending order."""
        self._approach(strike.point)
        self._striker.arm(strike, self._base)
        try:
            if strike.point.index >= self.prompted:
                outcome = self._end(2 * self.length, 0.3)
                outcome = "refused" if outcome == "hung" else outcome  # it calls and waits on
            else:
                outcome = self._end(2 * self.length + 200_000, self._patience)
            result = Result(strike, outcome, self._detail())
            self._striker.disarm()
            if outcome not in ("met", "accepted", "strayed"):
                self._look_behind(result)
        except SpbootError as error:
            result = Result(strike, "unknown", str(error))
        finally:
            self._striker.disarm()
        if self._striker.missed:
            result.detail += " (missed)"
        return result

    def _detail(self) -> str:
        return "" if self._fetched is None else f"fetched from {self._fetched:#010x}"

    def _approach(self, point: Point) -> None:
        """Back to a little before *point*."""
        self._restore(self._here)
        ahead = self._base + point.index - self.twin.instructions
        if ahead > 2 * _STRIDE:
            self.twin.run(instructions=ahead - _STRIDE, seconds=30.0)
            self._here = self.twin.snapshot()

    def _look_behind(self, result: Result) -> None:
        """Where flash is not as without a fault, see what the next boots make of it."""
        if self._cells() in self._flash:
            return
        before = result.outcome
        result.detail += " flash changed"
        for _ in range(2):
            self._fetched, self._was_reset, self._met = None, False, False
            self.rig.power_on()
            self._was_reset = False
            outcome = self._end(2 * self.length + 200_000, 8.0)
            if outcome == "accepted":
                result.outcome, result.detail = outcome, result.detail + f", {before}, then started by the next boot"
                return
        if self._good and not self._is_allowed():
            result.outcome = "accepted" if self._is_installed() else "spoilt"

    def sweep(self, strikes: Iterable[Strike]) -> Iterator[Result]:
        """One after the other."""
        self._restore(self._start)
        self._here = self._start
        return map(self.struck, strikes)

    def place(self, strike: Strike) -> str:
        """Where it is and what it does, in words."""
        words = f"{self.listing.place(strike.point.address)}: {strike.fault.words}"
        if strike.second is not None:
            words += f", then {self.listing.place(strike.second[0])}: {strike.second[1].words}"
        return words


def _words(rig: Rig, names: re.Pattern[str]) -> list[int]:
    """Addresses of the words with the bootloader's variables of such names."""
    found = elf.symbols("boot.elf", rig.shop.boot.elf.read_bytes())
    return [each.value & ~3 for each in found if each.size in (1, 4) and names.fullmatch(each.name)]


def _next(hits: Sequence[int], spot: int, otherwise: int) -> int:
    """Instructions from *spot* to the first of *hits* behind it."""
    at = bisect_left(hits, spot + 2)
    return min(otherwise, hits[at] - spot) if at < len(hits) else otherwise
