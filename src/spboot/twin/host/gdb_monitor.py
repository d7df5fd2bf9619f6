"""What gdb's `monitor` can ask of the board: text in, text out."""

from __future__ import annotations

from collections.abc import Callable

from spboot.errors import TwinError
from spboot.twin.machine import Twin
from spboot.twin.memory.oplog import Cut

_HELP = """monitor reset       reset by the pin; the core stops at its reset vector
monitor power       power off and on; the same, and RAM is garbage
monitor cut [ID]    cut the power at a flash operation to come, counted from 0, the default: ID as of --cut, 40:torn
monitor status      where the core is, by its virtual time
monitor help        this
"""


class Monitor:
    """Commands about *twin*; *power_on* switches its supply off and on."""

    def __init__(self, twin: Twin, power_on: Callable[[], None]) -> None:
        self._twin = twin
        self._power_on = power_on

    def answer(self, text: str) -> tuple[str, bool]:
        """What to say to the command *text*, and whether the core begins anew."""
        word, *rest = text.split() or ["help"]
        if word == "cut" and len(rest) <= 1:
            return self._cut(rest[0] if rest else "0"), False
        if word == "reset":  # "halt" and the like of other servers say what happens anyhow
            self._twin.reset()
            return f"reset; stopped at {self._where()}\n", True
        if word == "power" and not rest:
            self._power_on()
            return f"power off and on; stopped at {self._where()}\n", True
        if word == "status" and not rest:
            return f"{self._where()}, {self._twin.time:.6f} s, {self._twin.log.total} flash operations\n", False
        return ("" if word == "help" else f"unknown: {text[:40]!r}; there are:\n") + _HELP, False

    def _cut(self, name: str) -> str:
        try:
            cut = Cut.parse(name)
        except TwinError as error:
            return f"{error}\n"
        self._twin.arm(cut)
        return f"the power is cut at flash operation {cut}, counted from now\n"

    def _where(self) -> str:
        return self._twin.where(self._twin.core.pc)
