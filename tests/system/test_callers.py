"""Callers that ask for what cannot be, a UART that is held up, and what an application asks of the next reset."""

from __future__ import annotations

import pytest

from tests.system.feeder import GATES, SUCCESS, Feeder, Mode, Stage
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
