"""Parsers of the firmware, proven by CBMC within stated bounds (docs/proof.md), and bugs that the proofs must find.
`make proof` runs all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proof import cbmc
from tests.proof.proofs import PROOFS

QUICK = [name for name, proof in PROOFS.items() if proof.quick]
SLOW = [name for name, proof in PROOFS.items() if not proof.quick]
HAS_CBMC = pytest.mark.skipif(cbmc.program() is None, reason="no cbmc: make proof-tools")
PLANTED = [(name, bug) for name, proof in PROOFS.items() for bug in proof.planted]


@HAS_CBMC
@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.soak) for name in SLOW)])
def test_no_byte_outside_no_overflow_and_an_end(name: str, tmp_path: Path) -> None:
    """And what the harness states beside (M1, M2, P2, Q1, F1, J1, J3, R1, D2, Y1, Y2, Y3)."""
    answer = cbmc.prove(name, tmp_path)
    assert not answer.failed
    assert answer.properties > 90, "CBMC has looked at the firmware"


@HAS_CBMC
@pytest.mark.soak
@pytest.mark.parametrize(("name", "bug"), PLANTED)
def test_planted_bug_is_found(name: str, bug: str, tmp_path: Path) -> None:
    assert cbmc.prove(name, tmp_path, planted=bug).failed


def test_every_planted_bug_can_be_put(tmp_path: Path) -> None:
    """And every line that wraps stands where it is said to: a source that changed is seen before a long run."""
    for number, (name, bug) in enumerate(PLANTED):
        folder = tmp_path / str(number)
        folder.mkdir()
        cbmc.firmware_of(name, folder, planted=bug)
