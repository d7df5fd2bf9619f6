"""A rehearsal: scenarios on the twin, each of their flash operations cut, and what became of the device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass, field
from typing import Final

from spboot.errors import DeviceError, TwinError
from spboot.rehearsal import watchdog
from spboot.rehearsal.bench import bench_for
from spboot.rehearsal.cuts import DEPTHS
from spboot.rehearsal.scenario import SCENARIOS, Track, track
from spboot.rehearsal.subject import Subject
from spboot.rehearsal.walk import Loss, Part, Walk

_SPANS: Final = 24
"""Pieces of work that a scenario is divided into, whoever does it: ids and counts do not depend on that."""


@dataclass(slots=True, kw_only=True)
class Result:
    """What came of a scenario."""

    scenario: str
    operations: int
    rows: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    losses: list[Loss] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What came of all.

    >>> found = rehearse(Subject.made(board, keys, boot, old, new), depth="quick", scenarios=["patch"], part=(2, 24))
    >>> found.losses, found.results[0].scenario
    ([], 'patch')
    """

    subject: Subject
    depth: str
    results: tuple[Result, ...]
    left_out: tuple[tuple[str, str], ...]
    """Scenarios that this subject cannot have, and why."""

    @property
    def losses(self) -> list[Loss]:
        """Those that are told; `counts["losses"]` has their number."""
        return [loss for result in self.results for loss in result.losses]

    @property
    def counts(self) -> Counter[str]:
        """Of all scenarios."""
        return sum((result.counts for result in self.results), Counter())


def rehearse(
    subject: Subject,
    *,
    depth: str = "all",
    scenarios: Sequence[str] = (),
    part: tuple[int, int] = (1, 1),
    until_lost: bool = False,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Rehearsal:
    """Rehearse *scenarios*, or all that *subject* can have, as *depth* says: "quick", "all" or "each".

    *executor* does the work in pieces: that of `concurrent.futures`, or one like it, as the `get_executor()` of a Dask
    client; in this process without one.  The pieces are the same for all of them, and so is what comes out.
    *part* (k, n): the k-th of n shares of the pieces, for as many machines.  *until_lost*: no further piece
    once a device is lost.  *progress* is told of the pieces.  A scenario that fails without any cut is a loss whose id
    is its name.  Raises TwinError for a name that there is not.

    >>> found = rehearse(Subject.made(board, keys, boot, old, new), depth="quick", scenarios=["patch"], part=(1, 24))
    >>> found.counts["losses"]
    0
    """
    for name in scenarios:
        if name not in SCENARIOS:
            raise TwinError(f"scenario {name!r}: expected one of {', '.join(SCENARIOS)}")
    if depth not in DEPTHS:
        raise TwinError(f"depth {depth!r}: expected one of {', '.join(DEPTHS)}")
    share, shares = part
    if not 1 <= share <= shares:
        raise _no_part(f"{share}/{shares}")
    lacking = {name: SCENARIOS[name].lacks(subject) for name in scenarios or SCENARIOS}
    for name in scenarios:
        if lacking[name]:
            raise TwinError(f"scenario {name!r}: {lacking[name]}")
    tracks, failed = _played(subject, [name for name, words in lacking.items() if not words])
    tasks = [_Task(subject, each, span, depth) for each in tracks for span in _spans(each)][share - 1 :: shares]
    parts = [] if failed and until_lost else _done(tasks, executor, progress, until_lost=until_lost)
    joined = [_joined(each, [part for name, part in parts if name == each.scenario]) for each in tracks]
    return Rehearsal(
        subject=subject,
        depth=depth,
        results=tuple(joined + failed),
        left_out=tuple((name, words) for name, words in lacking.items() if words),
    )


def part_of(text: str) -> tuple[int, int]:
    """The share that *text* names.  Raises TwinError.

    >>> part_of("1/8")
    (1, 8)
    """
    share, _, shares = text.partition("/")
    if not (share.isdecimal() and shares.isdecimal() and 1 <= int(share) <= int(shares)):
        raise _no_part(text)
    return int(share), int(shares)


def _no_part(text: str) -> TwinError:
    return TwinError(f"part {text!r} is not K/N with K from 1 to N, as 1/8")


def _played(subject: Subject, names: Iterable[str]) -> tuple[list[Track], list[Result]]:
    """The scenarios without a cut, and those of them that fail."""
    bench = bench_for(subject)
    tracks, failed = list[Track](), list[Result]()
    for name in names:
        try:
            tracks.append(track(bench, name))
        except DeviceError as error:
            lost = [Loss(name, str(error))]
            failed.append(Result(scenario=name, operations=0, counts=Counter(losses=1), losses=lost))
    return tracks, failed


@dataclass(frozen=True, slots=True)
class _Task:
    subject: Subject
    track: Track
    span: range
    depth: str

    def __call__(self) -> tuple[str, Part]:
        bench, depth = bench_for(self.subject), DEPTHS[self.depth]
        part = Walk(bench, self.track, depth).over(self.span)
        watchdog.sweep(bench, self.track, depth, self.span, part)
        return self.track.scenario, part


def _spans(found: Track) -> Iterable[range]:
    total = len(found.operations)
    step = max(16, -(-total // _SPANS))
    return (range(first, min(first + step, total)) for first in range(0, total, step))


def _done(
    tasks: Sequence[_Task],
    executor: Executor | None,
    progress: Callable[[int, int], None] | None,
    *,
    until_lost: bool,
) -> list[tuple[str, Part]]:
    """What comes of *tasks*, in their order; *until_lost*: of those before and with a loss, or of that one alone."""
    tell = progress or (lambda _done, _total: None)
    if executor is None:
        parts = []
        for number, task in enumerate(tasks):
            tell(number, len(tasks))
            parts.append(task())
            if until_lost and parts[-1][1].losses:
                break
        return parts
    futures: list[Future[tuple[str, Part]]] = [executor.submit(task) for task in tasks]
    try:
        for number, future in enumerate(as_completed(futures)):
            tell(number + 1, len(tasks))
            if until_lost and future.result()[1].losses:
                return [future.result()]
        return [future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()


def _joined(found: Track, parts: Sequence[Part]) -> Result:
    result = Result(scenario=found.scenario, operations=len(found.operations))
    for part in parts:
        result.rows += part.rows
        result.counts += part.counts
        result.losses += part.losses
    return result
