"""What power control of L0 and of L4 and its relatives have in common: a core voltage that takes its time."""

from __future__ import annotations

from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.timeline import PS_PER_US

_VOS_PS: Final = 20 * PS_PER_US


class PwrLow(Block):
    """Base of them."""

    RUNS_IN_STOP = True
    STATE: ClassVar[tuple[str, ...]] = ("_settled", "standby_flag", "stop_flag")
    standby_flag = False
    """SBF: only a power-on and the firmware clear it."""
    stop_flag = False
    """STOPF, where there is one."""

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        die.timeline.on("PWR", lambda _when: None)

    def reset(self) -> None:
        super().reset()
        self._settled = 0
        self.stop_flag = False

    def power_on(self) -> None:
        self.standby_flag = False

    def slept(self, kind: str) -> None:
        """Standby or Stop was entered."""
        if kind == "stop":
            self.stop_flag = True
        else:
            self.standby_flag = True

    def deep_sleep(self) -> str:
        """What a deep sleep of the core becomes: "standby", "shutdown" or "" for Stop."""
        raise NotImplementedError

    def wake_pins(self) -> dict[str, bool]:
        """Pins that may end Standby -> whether by a rising edge; none where that is not modelled."""
        return {}

    def woken_by(self, pin: str) -> None:
        """*pin*, or with "" the RTC, ended Standby."""

    def voltage_range(self) -> int:
        """The higher, the slower must the core and its flash be."""
        raise NotImplementedError

    def settling(self) -> bool:
        """Whether the regulator is on its way to another range."""
        return self.die.timeline.now < self._settled

    def settle(self) -> None:
        """Begin that way."""
        self._settled = self.die.timeline.now + _VOS_PS
        self.die.timeline.at("PWR", self._settled)
