"""What docs/fidelity.md says that bootloaders access is what they access."""

from __future__ import annotations

from pathlib import Path

import pytest

from spboot import boards
from spboot.boards import Board
from tools.fidelity import accesses
from tools.fidelity.measure import of_bootloader

QUICK = "NUCLEO-L476RG"


@pytest.mark.parametrize(
    "name", [name if name == QUICK else pytest.param(name, marks=pytest.mark.soak) for name in boards.names()]
)
def test_accesses_of_a_bootloader(name: str, tmp_path: Path) -> None:
    told = accesses.load().bootloaders
    expected = {ip: {register for register, users in rest.items() if name in users} for ip, rest in told.items()}
    found = of_bootloader(Board.load(name), tmp_path)
    assert found == {ip: registers for ip, registers in expected.items() if registers}, "run `make fidelity`"
