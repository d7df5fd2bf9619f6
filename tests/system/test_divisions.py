"""E5 on the shipped bootloader: however an update's bytes are divided over the calls, flash and status end the same."""

from __future__ import annotations

import hashlib
import random

import pytest

from tests.system.feeder import Feeder, Mode, Stage, Status

EDGES = (75, 76, 77, 139, 140, 141, 667, 668, 669, 1195, 1196, 1197)
"""Ends of manifest, signature and of the first two chunks, one byte less and more."""
SOON = [("image", Mode.MAIN), ("patch", Mode.TASK), ("patch to the demo", Mode.MAIN)]
"""Of `make test`; the others, and the other compiler, are for `make soak`."""


def divisions(size: int) -> list[list[int]]:
    some = []
    for seed in range(4):
        rnd = random.Random(seed)
        some.append(sorted(rnd.sample(range(1, size), min(size - 1, rnd.choice((1, 3, 20, 200))))))
    edges = [at for at in EDGES if at < size]
    return [list(range(1, size)), edges, sorted([*edges, *edges, 0]), *some]


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        pytest.param(kind, mode, marks=() if (kind, mode) in SOON else pytest.mark.soak)
        for kind in ("image", "patch", "patch to the demo")
        for mode in (Mode.MAIN, Mode.TASK)
    ],
)
def test_e5_divisions_leave_identical_flash(feeder: Feeder, kind: str, mode: Mode) -> None:
    demo = feeder.shop.demo("1.1.0")
    data = feeder.image() if kind == "image" else feeder.patch(demo if kind == "patch to the demo" else None)
    feeder.init()
    whole = feeder.data(data)
    assert whole == Status(1, 0, "COMPLETED", Stage.VERIFIED, len(data), len(data))
    flash = hashlib.sha256(feeder.flash()).digest()
    operations = [(op.kind, op.address, op.data) for op in feeder.twin.log]
    for cuts in divisions(len(data)):
        feeder.again()
        feeder.init(mode=mode)
        assert feeder.divided(data, cuts, mode=mode) == whole
        assert feeder.last.calls == len(cuts) + 1
        assert feeder.last.guards_spoilt == 0
        assert [(op.kind, op.address, op.data) for op in feeder.twin.log] == operations
        assert hashlib.sha256(feeder.flash()).digest() == flash
    feeder.simple("InstallAtNextReset")
    feeder.twin.reset()
    feeder.rig.listen(b"demo 1.1.0 on" if kind == "patch to the demo" else b"feeder 1.1.0 ready")
