"""One point of a rehearsal once more, with a real cut in a real run."""

from __future__ import annotations

from collections.abc import Callable

from spboot.errors import SpbootError, TwinError
from spboot.rehearsal.bench import Bench, bench_for
from spboot.rehearsal.scenario import SCENARIOS, play
from spboot.rehearsal.subject import Subject
from spboot.twin.errors import PowerCut
from spboot.twin.memory.oplog import Cut

WATCHDOG = ":watchdog"
"""Behind the number of an operation, in the id of a reset by a watchdog."""


def interrupted(bench: Bench, scenario: str, cut: Cut) -> None:
    """Play *scenario* up to *cut*: the device has no power then.  Raises TwinError where it is never reached."""
    device = bench.fresh()
    device.twin.arm(cut)
    try:
        play(bench, scenario)
    except PowerCut:
        return
    raise TwinError(f"scenario {scenario!r} has {device.twin.log.total} operations: cut {cut} is behind them")


def torn_by_watchdog(number: int) -> Cut:
    """What a reset leaves of operation *number*."""
    return Cut(at=number, when="torn", pattern=("random", number), poison=False)


def replay(subject: Subject, name: str, on_text: Callable[[bytes], None]) -> str:
    """What runs, or what is wrong, at the point with the id *name*, as "patch/40:torn:random=7+12", or "patch" for the
    scenario without a cut; all that the device says goes to *on_text*.  Raises TwinError for a point that is none."""
    scenario, _, cut = name.partition("/")
    if scenario not in SCENARIOS:
        known = ", ".join(SCENARIOS)
        raise TwinError(f"{name!r}: expected a scenario and a cut, as patch/40:torn:random=7; scenarios are {known}")
    bench, watchdog = bench_for(subject), cut.endswith(WATCHDOG)
    cuts = Cut.chain(cut.removesuffix(WATCHDOG)) if cut else []
    try:
        if not cuts:
            bench.fresh()
            return play(bench, scenario)
        interrupted(bench, scenario, torn_by_watchdog(cuts[0].at) if watchdog else cuts[0])
        return _life(bench, scenario, cuts[1:], watchdog=watchdog)
    except TwinError:
        raise
    except SpbootError as error:
        return str(error)
    finally:
        on_text(bytes(bench.device.twin.uart(subject.board.console.port).output))


def _life(bench: Bench, scenario: str, second: list[Cut], *, watchdog: bool) -> str:
    """What comes of a device whose power was cut, perhaps again."""
    if watchdog:
        bench.device.twin.survive("iwdg")
    else:
        bench.device.power_on()
    hasty = SCENARIOS[scenario].hasty
    for cut in second:
        bench.device.twin.arm(cut)
    try:
        try:
            found = bench.start(hasty=hasty)
        except PowerCut:
            bench.device.power_on()
            return bench.start(hasty=hasty)
    except SpbootError as error:
        return str(error)
    if bench.device.twin.log.cut is not None:
        raise TwinError(f"the recovery runs {found} and has no operation {second[-1].at} to be cut")
    return found
