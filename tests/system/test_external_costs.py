"""What an update of a board with external flash is said to cost, beside what it costs on its twin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from spboot import boards, release
from spboot.boards import Board
from spboot.builder import merge
from spboot.device.cost import measure
from spboot.device.device import Device
from spboot.device.forecast import forecast
from tests.system.rig import RUNNING, workshop
from tests.system.test_explain import counted

SOME = ["DISCO-L476G-EXT"]
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


BLOCKS = [
    pytest.param(name, marks=pytest.mark.soak) for name in boards.external_names() if Board.load(name).block_pages
]


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_are_those_of_the_twin(name: str, tmp_path: Path) -> None:
    """On trial, with four blocks and a half of assets that change, from the middle of a block on, but for a page, and
    one page more at their end."""
    board = Board.load(name)
    shop = workshop(board, "clang", tmp_path)
    page, pages = board.rest_page_size, board.block_pages
    assets = bytearray(b"picture!" * (7 * board.block // 8))
    old = replace(shop.made(shop.demo("1.0.0"), "1.0.0"), rest=bytes(assets))
    for number in range(pages // 2, 5 * pages):
        assets[number * page + 99] = number * (number != 3 * pages + 2) or assets[number * page + 99]
    assets[-1] = 0
    new = replace(shop.made(shop.demo("1.1.0"), "1.1.0"), rest=bytes(assets))
    update = tmp_path / "update.sfbp"
    update.write_bytes(release.patch(old, new, keys=shop.keys))
    device = Device(board)
    device.program(merge.factory(shop.boot.bin.read_bytes(), old, shop.keys))
    device.power_on()
    device.call("loader")
    cost = measure(device, update, name="update", image_size=len(new.data), ready=RUNNING, seconds=120)
    found, log = forecast(board, old.data, new.data, rests=(old.rest, new.rest)), device.twin.log
    assert found.trial
    assert found.outside == 5 * pages - pages // 2 - 1 + 1
    assert (found.erases, found.programs, found.pages) == (log.erases(), log.programs(), cost.pages)
    assert found.flash_s == pytest.approx(cost.flash_s, rel=1e-9)
    rest = board.slot0.rest
    assert rest is not None
    at_once = [each.address - rest.address for each in log if each.kind == "erase" and each.size == board.block]
    assert [at // board.block for at in at_once if 0 <= at < rest.size] == [4, 2, 1]
