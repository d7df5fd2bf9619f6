"""What a run waits for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from spboot.twin.usart_v3 import UsartV3

if TYPE_CHECKING:
    from spboot.twin.machine import Twin

Condition = Callable[[], bool] | bytes | None


def condition(twin: Twin, until: Condition) -> Callable[[], bool]:
    """*until* as a function: bytes hold once a UART has sent them from now on, None never holds."""
    if until is None:
        return lambda: False
    if not isinstance(until, (bytes, bytearray)):
        return until
    wanted = bytes(until)
    outputs = [block.uart.output for block in twin.blocks.values() if isinstance(block, UsartV3)]
    starts = [len(output) for output in outputs]
    checked = twin.bytes_sent
    found = False

    def seen() -> bool:
        nonlocal checked, found
        if found or checked == twin.bytes_sent:
            return found
        checked = twin.bytes_sent
        for index, output in enumerate(outputs):
            if len(output) - starts[index] >= len(wanted):
                if output.find(wanted, starts[index]) >= 0:
                    found = True
                starts[index] = len(output) - len(wanted) + 1
        return found

    return seen
