"""The word to the next boot, in RAM that a reset keeps but for what has not reached it: STM32H7 (RM0399, embedded SRAM;
docs/faults.md, `held`)."""

from __future__ import annotations

from pathlib import Path

import pytest
import unicorn
from unicorn import arm_const as arm

from spboot.boards import Board
from spboot.formats import elf
from tests.system.feeder import SUCCESS, Feeder
from tests.system.rig import Rig, Workshop, workshop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return workshop(Board.load("DISCO-H745I"), "clang", tmp_path_factory.mktemp("note"))


def _function(shop: Workshop, name: str) -> int:
    named = elf.symbols(name, Path(shop.boot.elf).read_bytes())
    return next(one.value & ~1 for one in named if one.name == name)


def _run_through(rig: Rig, function: int) -> None:
    """Up to the return of the next call of *function*, and no instruction further."""
    core, ends = rig.twin.core, list[int]()

    def entered(*_: object) -> None:
        ends.append(core.get(arm.UC_ARM_REG_LR) & ~1)
        core.end_slice()

    hook = core.uc.hook_add(unicorn.UC_HOOK_CODE, entered, begin=function, end=function)
    core.uc.ctl_flush_tb()
    assert rig.twin.run(until=lambda: bool(ends), seconds=2)
    core.uc.hook_del(hook)
    while core.pc != ends[0]:
        rig.twin.run(instructions=1)


def test_a_request_is_in_ram_when_its_call_returns(shop: Workshop) -> None:
    """The reset comes right behind the store, from an application whose caches are off."""
    feeder = Feeder(shop)
    feeder.twin.held.hold()
    feeder.uart.send(feeder._request(b"c", _gate("SE_APP_RequestAtReset"), args=(feeder.scratch, 1)))
    _run_through(feeder.rig, _function(shop, "spb_note_write"))
    feeder.twin.reset()
    feeder.rig.listen(b"loader: send")


def test_a_whole_call_as_well(shop: Workshop) -> None:
    feeder = Feeder(shop)
    feeder.twin.held.hold()
    assert feeder.call("SE_APP_RequestAtReset", feeder.scratch, 1) == SUCCESS
    feeder.uart.queue.clear()
    feeder.twin.reset()
    feeder.rig.listen(b"loader: send")


def _gate(name: str) -> int:
    from tests.system.feeder import GATES

    return GATES.index(name)
