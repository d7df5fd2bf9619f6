"""What an update of a board with external flash is said to cost, beside what it costs on its twin."""

from __future__ import annotations

from pathlib import Path

import pytest

from spboot import boards
from spboot.boards import Board
from spboot.device.forecast import forecast
from tests.system.rig import workshop
from tests.system.test_explain import counted

SOME = ["DISCO-L476G-EXT", "DISCO-L4R9I-EXT"]
OTHERS = [pytest.param(name, marks=pytest.mark.soak) for name in boards.external_names() if name not in SOME]


@pytest.mark.parametrize("name", [*SOME, *OTHERS])
def test_pages_and_seconds_are_those_of_the_twin(name: str, tmp_path: Path) -> None:
    board = Board.load(name)
    shop = workshop(board, "clang", tmp_path)
    device, cost, old, new, _ = counted(shop, tmp_path, 10_000)
    rests = shop.made(old, "1.0.0").rest, shop.made(new, "1.1.0").rest
    found, log = forecast(board, old, new, rests=rests), device.twin.log
    assert (found.erases, found.programs, found.pages) == (log.erases(), log.programs(), cost.pages)
    assert found.flash_s == pytest.approx(cost.flash_s, rel=1e-9)
    assert found.outside > 0 or not board.slot0.rest, "something of the second part changes"
