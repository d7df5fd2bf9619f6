"""What a run waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from spboot.twin.line import Uart

Condition = Callable[[], bool] | bytes | None


def condition(uarts: Iterable[Uart], until: Condition) -> Callable[[], bool]:
    """*until* as a function: bytes hold once one of *uarts* has sent them from now on, None never holds."""
    if until is None:
        return lambda: False
    if not isinstance(until, (bytes, bytearray)):
        return until
    wanted = bytes(until)
    outputs = [uart.output for uart in uarts]
    starts = [len(output) for output in outputs]
    checked = sum(starts)
    found = False

    def seen() -> bool:
        nonlocal checked, found
        sent = sum(map(len, outputs))
        if found or checked == sent:
            return found
        checked = sent
        for index, output in enumerate(outputs):
            if len(output) - starts[index] >= len(wanted):
                if output.find(wanted, starts[index]) >= 0:
                    found = True
                starts[index] = len(output) - len(wanted) + 1
        return found

    return seen
