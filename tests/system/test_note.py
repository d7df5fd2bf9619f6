"""The word to the next boot, in RAM that a reset keeps but for what has not reached it: STM32H7 (RM0399, embedded SRAM;
docs/faults.md, `held`)."""

from __future__ import annotations

import pytest
import unicorn
from unicorn import arm_const as arm

from spboot.boards import Board
from tests.system.feeder import GATES, SUCCESS, Feeder
from tests.system.rig import Rig, Workshop, functions, workshop

DTCM_END = 0x20020000
"""Of the tightly coupled memory of STM32H7 (RM0399 2.3.2)."""
CCR = 0xE000ED14
"""DC, bit 16, turns the data cache on (PM0253 4.3.7)."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return workshop(Board.load("DISCO-H745I"), "clang", tmp_path_factory.mktemp("note"))


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


@pytest.mark.parametrize("stack", [None, DTCM_END], ids=["as-linked", "stack-in-dtcm"])
@pytest.mark.parametrize("cached", [True, False], ids=["cache-on", "cache-off"])
def test_a_request_is_in_ram_when_its_call_returns(shop: Workshop, cached: bool, stack: int | None) -> None:
    """The reset comes right behind the store, with the data cache on and off, and wherever the caller's stack is."""
    feeder = Feeder(shop, stack=stack)
    if not cached:
        feeder.write(CCR + 2, bytes([feeder.twin.nvic.registers["CCR"] >> 16 & 0xFE]))
    assert feeder.twin.nvic.caches_data == cached
    feeder.twin.held.hold()
    feeder.uart.send(feeder._request(b"c", GATES.index("SE_APP_RequestAtReset"), args=(feeder.scratch, 1)))
    _run_through(feeder.rig, functions(shop).symbols["spb_note_write"] & ~1)
    feeder.twin.reset()
    feeder.rig.listen(b"loader: send")


def test_a_whole_call_as_well(shop: Workshop) -> None:
    feeder = Feeder(shop)
    feeder.twin.held.hold()
    assert feeder.call("SE_APP_RequestAtReset", feeder.scratch, 1) == SUCCESS
    feeder.uart.queue.clear()
    feeder.twin.reset()
    feeder.rig.listen(b"loader: send")
