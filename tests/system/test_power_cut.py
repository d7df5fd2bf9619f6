"""Power cuts on the shipped binary: at every flash operation of an update, before, after and torn.

The update runs forward; before each operation the process forks, and every child loses its power there in another way
and comes back to life.  Then the device must run the old or the new version, and take an update."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from spboot.twin import Cut, PowerCut
from spboot.twin.memory.oplog import Cells, Kind
from tests.system.rig import Rig, Workshop

UPDATE_EVERY = 5
"""Every so many survivors also take an update; no divisor of the number of cuts an operation gets."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """An update from *old* to *new*: how it is begun and what is sent."""

    old: str
    new: str
    begin: Callable[[Rig], None]
    update: bytes


def through_loader(shop: Workshop) -> Scenario:
    return Scenario(old="1.0.0", new="1.1.0", begin=Rig.enter_loader, update=shop.image("1.1.0"))


def through_application(shop: Workshop) -> Scenario:
    def begin(rig: Rig) -> None:
        rig.boot()
        rig.ask_application()

    return Scenario(old="1.1.0", new="1.2.0", begin=begin, update=shop.patch("1.1.0", "1.2.0"))


SCENARIOS = {"image": through_loader, "patch": through_application}


def cuts(at: int, rnd: random.Random, tears: int) -> list[Cut]:
    """What to try at the *at*-th operation, when it is the next: 2 clean cuts and *tears* torn ones, kinds in turn."""
    kinds: list[tuple[str, int]] = [
        ("random", rnd.randrange(1 << 30)),
        ("prefix", rnd.randrange(1, 64)),
        ("suffix", rnd.randrange(1, 64)),
        ("miss", rnd.randrange(64)),
    ]
    chosen = [kinds[(at + i) % len(kinds)] for i in range(tears)]
    torn = [Cut(at=0, when="torn", pattern=kind, poison=bool((at + i) & 1)) for i, kind in enumerate(chosen)]
    return [Cut(at=0, when="before"), Cut(at=0, when="after"), *torn]


def recover(rig: Rig, scenario: Scenario, second: Cut | None) -> str:
    """Bring a device back to life, perhaps through a *second* cut: the version that runs."""
    if second is not None:
        rig.power_on()
        rig.twin.arm(second)
        with contextlib.suppress(PowerCut):
            rig.listen()
        rig.twin.log.cut = None  # it may still be waiting
    text = rig.boot()
    running = [v for v in (scenario.old, scenario.new) if b"demo " + v.encode() in text]
    assert running, text.decode(errors="replace")
    return running[0]


def take_update(rig: Rig, scenario: Scenario, shop: Workshop, running: str) -> None:
    """The same update again where the old version runs, a further one where the new one does."""
    update = scenario.update if running == scenario.old else shop.image("1.3.0")
    rig.enter_loader()
    rig.send(update)
    rig.listen()


class Sweep:
    """Runs one update to its end, forking at the operations *ats*; children report by their exit code."""

    def __init__(self, shop: Workshop, kind: str, ats: set[int], *, tears: int, again: bool) -> None:
        shop.image("1.3.0")  # made once, before there are children
        self.shop, self.ats, self.tears, self.again = shop, ats, tears, again
        self.scenario = SCENARIOS[kind](shop)
        self.rnd = random.Random(kind)
        self.points = 0
        self.operations = 0
        self.update_every = UPDATE_EVERY
        self.kinds: list[Kind] = []
        """Of the operations so far."""
        self.second: Cut | None = None
        self.cut: Cut | None = None
        self.rig = Rig(shop, self.scenario.old)

    def run(self) -> None:
        self.scenario.begin(self.rig)
        log = self.rig.twin.log
        perform = log.perform

        def hooked(kind: Kind, cells: Cells, address: int, new: bytes) -> None:
            perform(kind, cells, address, new)
            self.operations += 1
            self.kinds.append(kind)
            self.before_next()

        log.perform = hooked  # type: ignore[method-assign]
        try:
            self.before_next()
            self.rig.send(self.scenario.update)
            self.rig.listen()
        except PowerCut:
            self.child()
        finally:
            if self.cut is not None:
                os._exit(2)

    def choose(self) -> list[Cut]:
        """The cuts to try at the next operation."""
        return cuts(self.operations, self.rnd, self.tears)

    def before_next(self) -> None:
        """Parent: fork for each cut at the next operation.  Child: arm it and go on."""
        if self.cut is not None or self.operations not in self.ats:
            return
        for cut in self.choose():
            self.points += 1
            second = cuts(self.points, self.rnd, 1)[-1] if self.again else None
            pid = os.fork()
            if pid == 0:
                self.cut = cut
                self.second = second and Cut(
                    at=self.rnd.randrange(600), when=second.when, pattern=second.pattern, poison=second.poison
                )
                self.rig.twin.ecc_nmi = ("at", "after")[self.points & 1]
                self.rig.twin.arm(cut)
                return
            _, status = os.waitpid(pid, 0)
            assert status == 0, f"operation {self.operations}, {cut}, second {second}: see the output above"

    def child(self) -> None:
        """Power is gone: recover, and leave the process."""
        del self.rig.twin.log.perform  # the hook
        code = 1
        try:
            running = recover(self.rig, self.scenario, self.second)
            if self.points % self.update_every == 1 % self.update_every:
                take_update(self.rig, self.scenario, self.shop, running)
            code = 0
        except BaseException:
            traceback.print_exc()
            print(bytes(self.rig.uart.output[-2000:]).decode(errors="replace"), file=sys.stderr)
        finally:
            sys.stderr.flush()
            os._exit(code)


def count_operations(shop: Workshop, kind: str) -> int:
    sweep = Sweep(shop, kind, set(), tears=0, again=False)
    sweep.run()
    return sweep.operations


@pytest.mark.parametrize("kind", [pytest.param("image", marks=pytest.mark.soak), "patch"])
def test_cut_at_a_sample_of_operations(shop: Workshop, kind: str) -> None:
    """The first and last of each phase and every 521st between; `make soak` takes them all."""
    total = count_operations(shop, kind)
    ats = {0, 1, 2, 3, total - 1, total - 2, total - 3, *range(5, total, 521)}
    sweep = Sweep(shop, kind, ats, tears=1, again=True)
    sweep.run()
    assert sweep.operations == total
    assert sweep.points == 3 * len(ats)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(8))
@pytest.mark.parametrize("kind", SCENARIOS)
def test_cut_at_every_operation(shop: Workshop, kind: str, part: int) -> None:
    """Every one with clang, every third with GCC: the logic is the same, the machine code is not."""
    total = count_operations(shop, kind)
    step = 8 if shop.compiler == "clang" else 24
    sweep = Sweep(shop, kind, set(range(part, total, step)), tears=2, again=bool(part & 1))
    sweep.run()
    assert sweep.points == 4 * len(sweep.ats)
