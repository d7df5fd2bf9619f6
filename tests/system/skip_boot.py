"""One instruction of a boot left out: which points there are, and where the boot goes on from each of them.

The fault model is decision 0040: at one moment of the boot the core does not execute one instruction, and everything
before and after it is as ever.  A skipped IT is one that is not there; a skipped instruction of its block leaves the
others their conditions.  A run ends when

    accepted   the core fetches from SLOT0 or SLOT1 while SLOT0 is not as signed and allowed, or what must not be
               installed is in SLOT0
    spoilt     SLOT0 was good and is no longer, but nothing was started: the loader takes a new image
    refused    the loader asks for a file, the image that may run is started, or the device says that it stops
    met        it is in a state that the boot without a fault was in, too: it goes on as that did, and is refused
    reset      the chip was reset; that boot is one without a fault
    hung       nothing of this in twice the instructions or 1.5 times the time of the boot without a fault, or LONG_S
    unknown    the twin refuses something that silicon might take

Where flash is not as it would be without the fault, boots without a fault follow, up to their ends.
"""

from __future__ import annotations

import random
import re
import time
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import capstone
import unicorn

from spboot.errors import SpbootError
from spboot.formats import elf
from spboot.formats.spec import record
from spboot.twin.condition import condition
from spboot.twin.snapshot import Snapshot
from tests.system.fingerprint import fingerprint
from tests.system.rig import Rig
from tests.system.skip import Function, Omission, Point, Result, functions_of

ARITHMETIC: Final = re.compile(
    r"(spb_)?(field|limbs|point_double|scalar|sha256_block|add_column|square|divide|reduce|halve|forget|shift_right|gather)"
)
"""A fault in these gives another wrong number: a sample is skipped."""
DECIDES: Final = re.compile(
    r"judge|vouch|hashed|places|same|floor|fits|shape|install|acceptable|hand_over|spb_main|header|check|verdict|journal|mark"
    r"|misfit|below|where|difference|can_start|area_read|memcmp|context_jump|OUTLINED"
)
"""Every execution of these is skipped, up to MANY."""
CLOCK: Final = re.compile(r"(last|rest|ms|first|patience)(\.[a-z0-9_.]+)?")
"""Variables of driver/tick.c, and how far the line is."""
MANY: Final = 12
ENDS: Final = (b"loader: send", b"self check failed", b"no keys")
"""What the device says when it will not start anything."""
ARITHMETIC_POINTS: Final = 80
LONG_S: Final = 4.0
"""Of CPU time: several boots without a fault, but little for one whose work area a fault has moved onto flash."""
READS: Final = re.compile(r"install|slot_header|area_read")
CHECKPOINTS: Final = 8
_STRIDE: Final = 4000
_IMAGE_SIZE: Final = record("manifest").field("image_size").offset


class Boot:
    """One boot of *rig*, as it stands after its reset, run again and again.

    *allowed*: what SLOT0 may begin with when something in it runs; *only*: of which functions instructions are skipped
    (None: all)."""

    def __init__(
        self, rig: Rig, *, allowed: bytes, only: re.Pattern[str] | None = None, tail: float = 0.1, width: int = 1
    ) -> None:
        self.rig, self.twin, self.allowed, self.only = rig, rig.twin, allowed, only
        self._good = self._is_allowed()
        self._clock = _words(rig, CLOCK)
        self._omission = Omission(rig.twin, width)
        self._functions = functions_of(rig.shop.boot.elf)
        self._starts = [f.start for f in self._functions]
        self._start = self._here = self.twin.snapshot()
        self._base = self.twin.instructions
        self._flash = {bytes(self.twin.flash.cells)}
        self._fetched: int | None = None
        self._was_reset = self._met = False
        self._known: set[int] = set()
        self._recording: list[tuple[int, int]] | None = None
        self._watch_slots()
        self._watch_reset()
        self._follow(tail)
        self._checkpoints()

    # watching

    def _is_allowed(self) -> bool:
        """Whether SLOT0 holds what may run."""
        return self.twin.flash_read(self.rig.board.slot0.address, len(self.allowed)) == self.allowed

    def _is_installed(self) -> bool:
        """Whether all of what SLOT1 holds is in SLOT0."""
        board = self.rig.board
        if board.slot1 is None:
            return False
        used = board.vector_size + int.from_bytes(self.twin.flash_read(board.slot1.address + _IMAGE_SIZE, 4), "little")
        used = min(used, board.slot1.size)
        return self.twin.flash_read(board.slot0.address, used) == self.twin.flash_read(board.slot1.address, used)

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

    def function(self, address: int) -> Function | None:
        """The one that *address* is in."""
        at = bisect_right(self._starts, address) - 1
        return self._functions[at] if at >= 0 and address < self._functions[at].end else None

    def _wanted(self, function: Function) -> bool:
        if self.only is not None:
            return self.only.search(function.name) is not None
        return ARITHMETIC.match(function.name) is None

    # the boot without a fault

    def _follow(self, tail: float) -> None:
        """Run it once, noting each instruction of the functions wanted."""
        indices, addresses, core = array("Q"), array("I"), self.twin.core

        def seen(_uc: Any, address: int, *_: Any) -> None:
            indices.append(core.executed - 1)
            addresses.append(address)

        runs: list[list[int]] = []
        for f in self._functions:
            if self._wanted(f):
                if runs and f.start - runs[-1][1] < 8:
                    runs[-1][1] = f.end
                else:
                    runs.append([f.start, f.end])
        hooks = [core.uc.hook_add(unicorn.UC_HOOK_CODE, seen, begin=a, end=b - 1) for a, b in runs]
        core.uc.ctl_flush_tb()
        began = self.twin.time
        self.unfaulted = self._end(1 << 40, 100.0)
        self.prompted = self.twin.instructions - self._base
        self._patience = 1.5 * (self.twin.time - began) + 0.1
        if self.unfaulted == "refused" and self._fetched is None:
            self.twin.run(seconds=tail)
        for hook in hooks:
            core.uc.hook_del(hook)
        self.length = self.twin.instructions - self._base
        self._flash.add(bytes(self.twin.flash.cells))
        self.indices, self.addresses = array("Q", (i - self._base for i in indices)), addresses
        self._blocks = self._it_blocks()

    def _it_blocks(self) -> dict[int, int]:
        """Address of an instruction under an IT -> address of that IT."""
        found: dict[int, int] = {}
        if self.twin.chip.core == "cm0p":
            return found
        for at in set(self.addresses):
            word = self.twin.core.halfword(at)
            if word & 0xFF00 == 0xBF00 and word & 0xF:
                following, under = at + 2, 4 - ((word & -word).bit_length() - 1)
                for _ in range(under):
                    found[following] = at
                    following += self._omission.size(following)
        return found

    def points(self, *, thin: int = 1, seed: int = 0) -> list[Point]:
        """What is left out, one a run: in functions that decide every execution up to MANY, elsewhere the first and the
        last, of the arithmetic a sample.  Of what comes before a slot is read, as in every boot, one of *thin*."""
        where: dict[int, array[int]] = {}
        for n, address in enumerate(self.addresses):
            where.setdefault(address, array("Q")).append(n)
        chance = random.Random(seed)
        chosen: set[int] = set()
        for address, hits in where.items():
            function = self.function(address)
            if function is None or not DECIDES.search(function.name):
                chosen.update([hits[0], hits[-1]])
            elif len(hits) <= MANY:
                chosen.update(hits)
            else:
                chosen.update([*hits[:3], *hits[-3:], *chance.sample(hits, 3)])
        points = {self.indices[n]: self._point(n) for n in chosen}
        if self.only is None:
            for index in range(0, self.length, max(1, self.length // ARITHMETIC_POINTS)):
                points.setdefault(index, Point(index, 0))
        ordered = [points[index] for index in sorted(points)]
        first = self._first_read()
        return [point for n, point in enumerate(ordered) if point.index >= first or n % thin == 0]

    def _first_read(self) -> int:
        """The number of the first instruction of a function that reads slots."""
        readers = [f for f in self._functions if READS.search(f.name)]
        found = (
            i for i, a in zip(self.indices, self.addresses, strict=True) if any(f.start <= a < f.end for f in readers)
        )
        return next(found, 0)

    def executions(self, words: re.Pattern[str], most: int) -> list[Point]:
        """*most* executions at random of each instruction whose place() has *words* in it."""
        where: dict[int, list[int]] = {}
        for n, address in enumerate(self.addresses):
            where.setdefault(address, []).append(n)
        hits = [where[address] for address in sorted(where) if words.search(self.place(address))]
        chance = random.Random(0)
        return [self._point(n) for n in sorted(n for each in hits for n in chance.sample(each, min(most, len(each))))]

    def sample(self, number: int, seed: int = 0) -> list[Point]:
        """*number* of these points, in their order."""
        points = self.points(seed=seed)
        if len(points) > number:
            points = random.Random(seed).sample(points, number)
        return sorted(points, key=lambda point: point.index)

    def _point(self, n: int) -> Point:
        address = self.addresses[n]
        it = self._blocks.get(address)
        if it is None:
            return Point(self.indices[n], address)
        back = n
        while self.addresses[back] != it:
            back -= 1
        return Point(self.indices[n], address, self.indices[back])

    # states that both boots are in

    def _checkpoints(self) -> None:
        """Choose addresses that few instructions lie before, wherever the fault was, and note the states there."""
        counts = Counter(self.addresses)
        rare = [a for a, n in counts.items() if n <= 40 and a not in self._blocks]
        chance = random.Random(1)
        hits: dict[int, list[int]] = {a: [] for a in (chance.sample(rare, 250) if len(rare) > 250 else rare)}
        for n, address in enumerate(self.addresses):
            if address in hits:
                hits[address].append(self.indices[n])
        spots = sorted(chance.sample(self.indices, min(300, len(self.indices))))
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
            elif self._omission.done and not self._met and fingerprint(self.rig, self._clock) in self._known:
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
        deadline = time.process_time() + LONG_S

        def over() -> bool:
            return (
                self._fetched is not None
                or self._was_reset
                or self._met
                or any(word() for word in said)
                or self.twin.instructions >= last
                or time.process_time() >= deadline
            )

        ended = self.twin.run(until=over, seconds=seconds) and time.process_time() < deadline
        if self._fetched is not None:
            return "refused" if self._is_allowed() else "accepted"
        if self._was_reset:
            return "reset"
        if self._met:
            return "met"
        return "refused" if ended and self.twin.instructions < last else "hung"

    def without(self, point: Point) -> Result:
        """The boot with *point* left out.  Points must come in ascending order."""
        self._approach(point)
        self._omission.arm(point, self._base)
        try:
            if point.index >= self.prompted:
                outcome = self._end(2 * self.length, 0.3)
                outcome = "refused" if outcome == "hung" else outcome  # it calls and waits on
            else:
                outcome = self._end(2 * self.length + 200_000, self._patience)
            result = Result(point, outcome, self._detail())
            if outcome != "met" and outcome != "accepted":
                self._look_behind(result)
        except SpbootError as error:
            result = Result(point, "unknown", str(error))
        finally:
            self._omission.point = None
        if self._omission.missed:
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
        if bytes(self.twin.flash.cells) in self._flash:
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

    def sweep(self, points: Iterable[Point]) -> list[Result]:
        """One after the other."""
        self._restore(self._start)
        self._here = self._start
        return [self.without(point) for point in points]

    # words

    def place(self, address: int) -> str:
        """An address as function and offset, with the instruction."""
        function = self.function(address)
        name = f"{function.name}+{address - function.start:#x}" if function else f"{address:#010x}"
        code = self.twin.flash_read(address, 4)
        decoder = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
        words = next((f"{i.mnemonic} {i.op_str}" for i in decoder.disasm(code, address)), "?")
        return f"{address:08x} {name}: {words}"


def _words(rig: Rig, names: re.Pattern[str]) -> list[int]:
    """Addresses of the words with the bootloader's variables of such names."""
    found = elf.symbols("boot.elf", rig.shop.boot.elf.read_bytes())
    return [each.value & ~3 for each in found if each.size in (1, 4) and names.fullmatch(each.name)]


def _next(hits: Sequence[int], spot: int, otherwise: int) -> int:
    """Instructions from *spot* to the first of *hits* behind it."""
    at = bisect_left(hits, spot + 2)
    return min(otherwise, hits[at] - spot) if at < len(hits) else otherwise
