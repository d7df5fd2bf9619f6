"""Callers that ask for what cannot be, a UART that is held up, and what an application asks of the next reset."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.builder.compiler import NAMES
from spboot.formats.spec import data_path
from tests.system.feeder import GATES, SUCCESS, Feeder, Mode, Stage
from tests.system.rig import workshop
from tests.system.test_api import refused


def test_b2_an_unprivileged_caller_is_refused_and_changes_nothing(feeder: Feeder) -> None:
    data = feeder.image()
    feeder.init()
    feeder.load(data)
    feeder.feed(0, 1000)
    for call in (
        lambda: feeder.init(mode=Mode.UNPRIVILEGED),
        lambda: feeder.feed(1000, 100, mode=Mode.UNPRIVILEGED),
        lambda: feeder.simple("Abort", mode=Mode.UNPRIVILEGED),
    ):
        call()
        refused(feeder, "INVALID_STATE", Stage.UPDATE)
        assert not feeder.last.guards_spoilt
    assert feeder.feed(1000, len(data) - 1000).stage == Stage.VERIFIED


def test_b1_the_engine_on_the_stack_of_its_caller(feeder: Feeder) -> None:
    on_the_callers_stack(feeder)


@pytest.mark.soak
@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("board", ["NUCLEO-L073RZ", "DISCO-F769I", "DISCO-L562E"])
def test_b1_on_every_core(board: str, compiler: str, tmp_path: Path) -> None:
    on_the_callers_stack(Feeder(workshop(Board.load(board), compiler, tmp_path)))


def on_the_callers_stack(feeder: Feeder) -> None:
    """SE_PATCH_CALLER_STACK is enough for everything that the engine does; nothing beyond it is touched."""
    header = (data_path("firmware") / "include" / "spboot" / "spboot.h").read_text(encoding="utf-8")
    promised = int(re.findall(r"SE_PATCH_CALLER_STACK (\d+)U", header)[0])
    frames = 32 + 8
    """Bytes of an interrupt without floating point, aligned, on top of it."""
    assert feeder.call("SE_PATCH_SetStack", 1) == SUCCESS
    for wrong in (2, 0x80000000):
        assert feeder.call("SE_PATCH_SetStack", wrong) != SUCCESS
    data, used = feeder.patch(), []
    feeder.load(data)
    feeder.init(mode=Mode.TASK)
    used.append(feeder.last.stack_used)
    for start in range(0, len(data), 100):
        feeder.feed(start, min(100, len(data) - start), mode=Mode.TASK)
        used.append(feeder.last.stack_used)
        assert not feeder.last.guards_spoilt
    assert feeder.status.stage == Stage.VERIFIED
    feeder.simple("InstallAtNextReset", mode=Mode.TASK)
    used.append(feeder.last.stack_used)
    print(f"stack of the caller: {max(used)} of {promised + frames} bytes")
    assert 400 < max(used) <= promised + frames
    assert feeder.call("SE_PATCH_SetStack", 0) == SUCCESS
    feeder.simple("Abort", mode=Mode.TASK)
    assert feeder.last.stack_used < 200, "on its own again"


def test_a_line_that_the_uart_holds_up_ends(feeder: Feeder) -> None:
    """As with CTS, or a clock that stands still: a byte never leaves.  The rest is lost, the call returns."""
    feeder.init()
    console = feeder.shop.board.console.port
    start = len(feeder.uart.output)
    feeder.uart.send(feeder._request(b"c", GATES.index("SE_PATCH_PrintStatus"), args=(feeder.scratch,)))
    assert feeder.twin.run(until=lambda: len(feeder.uart.output) > start)
    feeder.twin.timeline.cancel(f"{console}.tx")
    feeder.twin.run(seconds=4)
    feeder.twin.timeline.at(f"{console}.tx", feeder.twin.timeline.now)
    feeder.twin.run(seconds=0.5)
    text = bytes(feeder.uart.output[start:])
    assert b"done" not in text
    assert int.from_bytes(text[-40:-36], "little") == 1, "the reply is there: one call"


@pytest.mark.parametrize("request_", [1, 2])
def test_a_request_for_the_next_reset(feeder: Feeder, request_: int) -> None:
    """1: the loader.  2: no window.  Once; not after a power-on; taken back by 0; nothing else is one."""
    for wrong in (3, 4, 0x80000000):
        assert feeder.call("SE_APP_RequestAtReset", feeder.scratch, wrong) != SUCCESS
    plain = _seconds_to_start(feeder)
    assert feeder.call("SE_APP_RequestAtReset", feeder.scratch, request_) == SUCCESS
    assert feeder.call("SE_APP_RequestAtReset", feeder.scratch, 0) == SUCCESS
    assert abs(_seconds_to_start(feeder) - plain) < 0.01
    assert feeder.call("SE_APP_RequestAtReset", feeder.scratch, request_) == SUCCESS
    if request_ == 1:
        feeder.uart.queue.clear()
        feeder.twin.reset()
        feeder.rig.listen(b"loader: send")
        feeder.twin.reset()
        feeder.rig.listen(b"ready\r\n")
    else:
        assert _seconds_to_start(feeder) < plain - 0.03
    assert abs(_seconds_to_start(feeder) - plain) < 0.01


def _seconds_to_start(feeder: Feeder) -> float:
    at = feeder.twin.time
    feeder.reset()
    return feeder.twin.time - at
