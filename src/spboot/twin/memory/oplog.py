"""The operation log of a chip and of the flash chips beside it: every erase and program, in one order, and the power
cut that waits for one of them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Protocol

from spboot.errors import TwinError
from spboot.twin.errors import PowerCut
from spboot.twin.timeline import PS_PER_S, Timeline

Kind = Literal["erase", "program", "options"]
"""The last one is a change of option bytes."""
When = Literal["before", "after", "torn"]
Fault = Literal["", "marginal", "weak", "single"]
Pattern = tuple[str, int]

_FAULTS: Final[tuple[Fault, ...]] = ("marginal", "weak", "single")
_PATTERNS: Final = ("random", "prefix", "suffix", "miss")
_ONE_OF: Final = f"{', '.join(_PATTERNS[:-1])} or {_PATTERNS[-1]}"
_ID: Final = re.compile(
    rf"(\d{{1,9}})(?:(:after)|(:torn)(?::({'|'.join(_PATTERNS)})=(\d{{1,9}}))?(:readable)?"
    rf"|:({'|'.join(_FAULTS)})=(\d{{1,9}})(:readable)?)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One erase, of a page, a sector or whole banks, one program, or one change of option bytes.  *data* is what was to
    be stored (empty for an erase), *time* in seconds."""

    index: int
    kind: Kind
    address: int
    size: int
    data: bytes
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Cut the power at operation *at*, counted from 0 when it is armed.

    `str` of it is its id, printed when it happens and read by `parse`.

    *pattern* says which bits of a torn operation happened: ("random", seed), ("prefix", bits), ("suffix", bits) or
    ("miss", bit).  With *poison* the unit does not fit its ECC afterwards (parts with ECC only).

    *fault*, of a torn operation with a random pattern, whose seed decides more (docs/faults.md): "marginal", some bits
    read one way now and another later; "weak", an erase after which the page reads as erased, but its bits do not all
    stay so once they are programmed; "single", the unit is old or new but for one bit, which its ECC corrects."""

    at: int
    when: When = "before"
    pattern: Pattern = ("random", 0)
    poison: bool = True
    fault: Fault = ""

    def __post_init__(self) -> None:
        if self.when not in ("before", "after", "torn"):
            raise TwinError(f"cut {self.when!r}: expected before, after or torn")
        if self.pattern[0] not in _PATTERNS:
            raise TwinError(f"tear pattern {self.pattern[0]!r}: expected {_ONE_OF}")
        if self.fault not in ("", *_FAULTS):
            raise TwinError(f"fault {self.fault!r}: expected one of {', '.join(_FAULTS)}, or none")
        if self.fault and (self.when, self.pattern[0]) != ("torn", "random"):
            raise TwinError(f"fault {self.fault!r} of a cut {self.when}, {self.pattern[0]}: expected torn and random")
        if self.fault in ("weak", "single") and not self.poison:
            raise TwinError(f"fault {self.fault!r} with poison=False: it says itself what the ECC finds, leave it out")

    @classmethod
    def parse(cls, text: str) -> Cut:
        """The cut whose `str` is *text*: "40", "40:after", "40:torn:random=7", "40:torn:prefix=3:readable" or
        "40:weak=7".  Raises TwinError."""
        match = _ID.fullmatch(text)
        if not match:
            raise TwinError(
                f"cut is {text!r}, expected the number of a flash operation, as 40, or an id, as 40:after, "
                f"40:torn or 40:torn:random=7 ({_ONE_OF}), with :readable behind it when no ECC shall fail, or with a "
                f"fault and a seed, as 40:weak=7 ({', '.join(_FAULTS)})"
            )
        number, after, torn, kind, which, readable, fault, seed, legible = match.groups()
        for name in _FAULTS:
            if name == fault:
                pattern = ("random", int(seed))
                return cls(at=int(number), when="torn", pattern=pattern, poison=not legible, fault=name)
        when: When = "torn" if torn else "after" if after else "before"
        pattern = (kind, int(which)) if kind else ("random", 0)
        return cls(at=int(number), when=when, pattern=pattern, poison=not readable)

    @classmethod
    def chain(cls, text: str) -> list[Cut]:
        """The cuts of an id with "+": each is counted from when the power is back from the one before.  Raises as
        `parse`."""
        return [cls.parse(part) for part in text.split("+")]

    def __str__(self) -> str:
        if self.when != "torn":
            return f"{self.at}:after" if self.when == "after" else str(self.at)
        kind, number = self.pattern
        if self.fault:
            return f"{self.at}:{self.fault}={number}{'' if self.poison else ':readable'}"
        return f"{self.at}:torn:{kind}={number}{'' if self.poison else ':readable'}"


class Cells(Protocol):
    """A flash memory, as the log sees it."""

    def put(self, address: int, data: bytes) -> None:
        """Store *data* at *address*, whole."""

    def tear(self, address: int, new: bytes, cut: Cut) -> None:
        """Store that part of *new* which *cut* leaves."""


class OperationLog:
    """All operations since the twin was made or `clear` was called; survives power cuts."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._operations: list[Operation] = []
        self.cut: Cut | None = None
        """The one that is armed;"""
        self._cut_at = 0
        """the operation that it waits for, counted as `total` is."""
        self.total = 0
        """Operations ever, not reset by `clear`."""
        self.busy_ps = 0
        """Picoseconds that flash was busy, since the twin was made or `clear` was called."""

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._operations)

    def __len__(self) -> int:
        return len(self._operations)

    def __getitem__(self, index: int) -> Operation:
        return self._operations[index]

    def arm(self, cut: Cut) -> None:
        """Let *cut* fire at its operation, counted from now."""
        self.cut = cut
        self._cut_at = self.total + cut.at

    def perform(self, kind: Kind, cells: Cells, address: int, new: bytes) -> None:
        """Log an operation and let *cells* hold *new* at *address*.  Raises PowerCut when the armed cut fires at it."""
        operation = Operation(
            index=len(self._operations),
            kind=kind,
            address=address,
            size=len(new),
            data=b"" if kind == "erase" else new,
            time=self._timeline.now / PS_PER_S,
        )
        cut = self.cut if self.total == self._cut_at else None
        self._operations.append(operation)
        self.total += 1
        if cut is None:
            cells.put(address, new)
            return
        self.cut = None
        if cut.when == "after":
            cells.put(address, new)
        elif cut.when == "torn":
            cells.tear(address, new, cut)
        same = replace(cut, at=self._cut_at)  # counted since the twin was made: as a new one counts from its start
        raise PowerCut(f"power cut {cut.when} {kind} of {len(new)} bytes at {address:#010x} (cut {same})")

    def clear(self) -> None:
        """Forget all operations; the next one has index 0."""
        self._operations.clear()
        self.busy_ps = 0

    def erases(self, low: int = 0, high: int = 1 << 32) -> int:
        """How many erases were of a byte in low <= address < high."""
        return self._number("erase", low, high)

    def programs(self, low: int = 0, high: int = 1 << 32) -> int:
        """How many programs were of a byte in low <= address < high."""
        return self._number("program", low, high)

    def by_page(self, kind: Kind, page_size: int) -> dict[int, int]:
        """How many operations of *kind* each page saw, by the page's address."""
        counts: dict[int, int] = {}
        for operation in self._operations:
            if operation.kind == kind:
                first = operation.address - operation.address % page_size
                for page in range(first, operation.address + operation.size, page_size):
                    counts[page] = counts.get(page, 0) + 1
        return counts

    def _number(self, kind: Kind, low: int, high: int) -> int:
        return sum(1 for op in self._operations if op.kind == kind and op.address < high and low < op.address + op.size)

    def save(self) -> Any:
        return list(self._operations), self.total, self.busy_ps, self.cut, self._cut_at

    def load(self, state: Any) -> None:
        operations, self.total, self.busy_ps, self.cut, self._cut_at = state
        self._operations = list(operations)


def tear(old: bytes, new: bytes, pattern: Pattern) -> bytes:
    """What stays when the change from *old* to *new* is cut; bits count from the lowest of the first byte."""
    kind, number = pattern
    bits = 8 * len(old)
    full = (1 << bits) - 1
    if kind == "random":
        done = random.Random(number).getrandbits(bits)
    elif kind == "prefix":
        done = (1 << min(number, bits)) - 1
    elif kind == "suffix":
        done = full & ~((1 << (bits - min(number, bits))) - 1)
    else:
        done = full & ~(1 << number % bits)
    before, after = int.from_bytes(old, "little"), int.from_bytes(new, "little")
    return ((after & done) | (before & ~done & full)).to_bytes(len(old), "little")
