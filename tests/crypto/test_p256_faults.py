"""Invariant P3 of firmware/crypto/p256.h: no single skipped instruction turns a bad signature good.

Each instruction of the verdict is skipped, one a run, and in `make test` each third; of the arithmetic before it, where
a fault gives another wrong point, a sample.  Signatures that are refused at once are swept from the first instruction.
tests/system/test_faults.py does the same with the bootloader that ships.
"""

from __future__ import annotations

import pytest

from spboot.twin.measure.callee import Callee, Core

from .conftest import TARGETS, ImageFactory
from .images import Compiler
from .skipper import Skipper
from .vectors import Vector, generated
from .verifier import BAD, GOOD, WORK_SIZE, prepared

STEPS = pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.soak)])
VERDICT = 2500  # instructions that the end of a verification is longer than: two multiplications and what follows


def _skipper(callee: Callee, vector: Vector) -> Skipper:
    table = prepared(vector.public)
    assert table is not None
    arguments = [callee.allocate(part) for part in (table, vector.hash, vector.wire, WORK_SIZE)]
    skipper = Skipper(callee, "spb_p256_verify", *arguments)
    assert skipper.unfaulted == BAD
    return skipper


@STEPS
@pytest.mark.parametrize(("compiler", "core"), TARGETS)
def test_p3_no_skipped_instruction_accepts_a_wrong_signature(
    image: ImageFactory, compiler: Compiler, core: Core, step: int
) -> None:
    elf = image(compiler, core)
    for first, why in enumerate(("flipped hash", "flipped signature")):
        vector = next(v for v in generated() if v.why == why)
        skipper = _skipper(Callee(elf, core, counting=False), vector)
        verdict = range(skipper.length - VERDICT * (4 if core == "cm0p" else 1), skipper.length)
        sample = range(0, verdict.start, verdict.start // 60 * step)
        results = skipper.results([*sample, *verdict[first::step]])
        assert GOOD not in results
        assert results.count(BAD) > len(results) // 2


@STEPS
@pytest.mark.parametrize(("compiler", "core"), TARGETS)
def test_p3_no_skipped_instruction_accepts_what_is_out_of_range(
    image: ImageFactory, compiler: Compiler, core: Core, step: int
) -> None:
    elf = image(compiler, core)
    for vector in [v for v in generated() if v.why == "limits" and not v.good]:
        skipper = _skipper(Callee(elf, core, counting=False), vector)
        if skipper.length < 20_000:
            assert GOOD not in skipper.results(range(0, skipper.length, step if core == "cm4" else 9 * step))


def test_the_sweep_sees_a_hole_where_there_is_one(image: ImageFactory) -> None:
    """Positive control: a verdict by memcmp and a conditional."""
    callee = Callee(image("clang", "cm4"), "cm4", counting=False)
    skipper = Skipper(callee, "naive_verdict", callee.allocate(bytes(31) + b"\1"), callee.allocate(bytes(32)))
    assert skipper.unfaulted == BAD
    assert GOOD in skipper.results(range(skipper.length))
