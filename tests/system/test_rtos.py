"""An application with a preemptive kernel, TIM6 as time base and Stop when it has nothing to do: a task of it takes an
update, while two others have to be in time (rtos/*.c)."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from spboot import release
from spboot.boards import Board
from spboot.builder.compiler import NAMES
from tests.system.rig import Rig, Workshop, workshop
from tests.system.rtos.build import BOARDS, rtos_app
from tests.system.terminal import lrzsz, on_pty, opened, wait_for

_REPORT = re.compile(
    rb"fast (\d+) runs late (\d+), steady (\d+) runs late (\d+), (\d+) stops (\d+) ms of (\d+), (\d+) overflows, "
    rb"(\d+) bytes of stack free"
)


@dataclass(frozen=True, slots=True)
class Report:
    """What the application says of itself at the end of a transfer, or of five calls that nobody answered."""

    fast: int
    fast_late: int
    steady: int
    steady_late: int
    stops: int
    stop_ms: int
    ms: int
    overflows: int
    stack_free: int

    @classmethod
    def of(cls, text: bytes) -> Report:
        found = _REPORT.search(text)
        assert found, text
        return cls(*map(int, found.groups()))

    @property
    def in_time(self) -> bool:
        """No turn was left out, and none began more than a tick late."""
        return max(self.fast_late, self.steady_late) <= 1 and abs(self.ms / 5 - self.fast) <= 2


def device(shop: Workshop, stack: str = "SE_PATCH_Stack_CALLER") -> Rig:
    rig = Rig(shop, app=rtos_app(shop, "1.0.0", stack))
    rig.power_on()
    rig.listen(b"rtos 1.0.0 ready")
    return rig


def patch(shop: Workshop, stack: str = "SE_PATCH_Stack_CALLER") -> bytes:
    old, new = (shop.made(rtos_app(shop, version, stack), version) for version in ("1.0.0", "1.1.0"))
    return release.patch(old, new, keys=shop.keys)


_QUICK = {("NUCLEO-L476RG", "clang"), ("NUCLEO-G0B1RE", "gcc"), ("DISCO-L562E", "clang")}
"""One for each core."""
_PAIRS = [
    pytest.param(pair, id=" ".join(pair), marks=[] if pair in _QUICK else [pytest.mark.soak])
    for pair in itertools.product(BOARDS, NAMES)
]


@pytest.fixture(scope="module", params=_PAIRS)
def maker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    name, compiler = request.param
    return workshop(Board.load(name), compiler, tmp_path_factory.mktemp("rtos"))


def test_a_task_takes_a_patch_by_sb(maker: Workshop, tmp_path: Path) -> None:
    file = tmp_path / "rtos-1.1.0.sfbp"
    file.write_bytes(patch(maker))
    rig = device(maker)
    idle = Report.of(rig.listen(b"stack free"))
    assert idle.in_time, idle
    assert idle.stop_ms > 0.7 * idle.ms, "awake for 50 ms of each second, and for a moment of each fifth millisecond"
    start = len(rig.uart.output)
    with on_pty(rig) as path, opened(path) as line:
        done = lrzsz("sb", line, "-k", file)
        assert done.returncode == 0, done.stderr.decode()
        wait_for(rig, b"] installed", start)
        wait_for(rig, b"rtos 1.1.0 ready", start)
    update = Report.of(rig.uart.output[start:])
    assert update.in_time, update
    assert update.overflows == 0
    assert update.stack_free >= 64
    assert not rig.twin.faults


def test_the_stack_check_sees_the_stack_of_the_engine(shop: Workshop) -> None:
    """On the reserved stack, which is in no task: the check is alive, and SE_PATCH_SetStack is what satisfies it."""
    own = "SE_PATCH_Stack_RESERVED"
    rig = device(shop, own)
    rig.send(patch(shop, own), block=1024)
    report = Report.of(rig.listen(b"stack free"))
    assert report.overflows > 0
    assert report.in_time, report
