"""Ports (RM0351 chapter 8, RM0090 8, RM0410 6, RM0399 12) and the outside world at their pins."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from spboot.chips import Block as Facts
from spboot.errors import TwinError
from spboot.twin.block import Block
from spboot.twin.blocks.exti import Exti
from spboot.twin.die import Die

_INPUT, _OUTPUT, _ALTERNATE, _ANALOG = 0, 1, 2, 3
_PULL_UP: Final = 1

_LOCK_KEY: Final = 1 << 16


class Gpio(Block, ips=("gpio_v2", "gpio_v2_l478")):
    """One port."""

    READ_ONLY = frozenset({"IDR"})
    STATE = ("levels", "_lock")
    DECLARES = frozenset({"BRR"})

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self.levels: dict[int, int] = {}
        """What drives the pins from outside; no reset changes that."""
        if die.chip.of_family.ports.brr:
            self._declare("BRR", 0x28, {})

    def reset(self) -> None:
        super().reset()
        ports = self.die.chip.of_family.ports.reset
        self.registers.update(ports.get(self.name, ports["others"]))
        self._lock: list[int] = []
        self.die.pins.changed()

    def mode(self, pin: int) -> int:
        return self.registers["MODER"] >> 2 * pin & 3

    def level(self, pin: int) -> int:
        """What the pin carries: the output, or the outside, or the pull."""
        if self.mode(pin) == _OUTPUT:
            return self.registers["ODR"] >> pin & 1
        return self.levels.get(pin, int(self.registers["PUPDR"] >> 2 * pin & 3 == _PULL_UP))

    def alternate(self, pin: int) -> int | None:
        """The alternate function in effect, None in other modes."""
        if self.mode(pin) != _ALTERNATE:
            return None
        return self.registers["AFR0" if pin < 8 else "AFR1"] >> 4 * (pin & 7) & 15

    def digital(self, pin: int) -> int:
        """What the input stage makes of the pin: 0 in analog mode, where it is off (RM0351 8.3.12)."""
        return 0 if self.mode(pin) == _ANALOG else self.level(pin)

    def read_IDR(self) -> int:
        return sum(self.digital(pin) << pin for pin in range(16))

    def write_BSRR(self, value: int) -> None:
        self.registers["ODR"] = (self.registers["ODR"] & ~(value >> 16) | value) & 0xFFFF

    def write_BRR(self, value: int) -> None:
        self.registers["ODR"] &= ~value

    def read_BSRR(self) -> int:
        return 0

    def write_LCKR(self, value: int) -> None:
        if self.registers["LCKR"] & _LOCK_KEY:
            return
        self._lock = [*self._lock[-2:], value]
        pins = value & 0xFFFF
        if self._lock == [pins | _LOCK_KEY, pins, pins | _LOCK_KEY]:
            self.registers["LCKR"] = pins | _LOCK_KEY

    def write(self, offset: int, size: int, value: int) -> None:
        if self.registers["LCKR"] & _LOCK_KEY and self.names.get(offset & ~3) in ("MODER", "PUPDR", "AFR0", "AFR1"):
            self.die.forbid(
                f"{self.name} configuration written after it was locked", "reset clears LCKR (8.4.8); it is ignored"
            )
            return
        super().write(offset, size, value)
        self.die.pins.changed()


class Pins:
    """All pins by name, as "PC13"."""

    def __init__(self, die: Die) -> None:
        self._die = die
        self._known: dict[str, tuple[Gpio, int]] = {}
        self._watchers: list[Callable[[], None]] = []

    def _find(self, name: str) -> tuple[Gpio, int]:
        if name not in self._known:
            match = re.fullmatch(r"P([A-Z])(\d{1,2})", name)
            port = f"GPIO{match[1]}" if match else ""
            if match is None or port not in self._die.blocks or int(match[2]) > 15:
                raise TwinError(f"{self._die.chip.name} has no pin {name!r}; expected one like PA5")
            self._known[name] = self._die.block(port, Gpio), int(match[2])
        return self._known[name]

    def set(self, name: str, level: int) -> None:
        """Drive a pin from outside, until `release`."""
        port, pin = self._find(name)
        port.levels[pin] = int(bool(level))
        self.changed()

    def release(self, name: str) -> None:
        """Let a pin float from outside."""
        port, pin = self._find(name)
        port.levels.pop(pin, None)
        self.changed()

    def get(self, name: str) -> int:
        """The level at a pin."""
        port, pin = self._find(name)
        return port.level(pin)

    def digital(self, name: str) -> int:
        """What the input stage of a pin makes of its level."""
        port, pin = self._find(name)
        return port.digital(pin)

    def changed(self) -> None:
        """Some pin may have another level."""
        self._die.block("EXTI", Exti).sample()
        for watcher in self._watchers:
            watcher()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call *watcher* whenever some pin may have another level."""
        self._watchers.append(watcher)

    def mode(self, name: str) -> int:
        """MODER of a pin: 0 input, 1 output, 2 alternate function, 3 analog."""
        port, pin = self._find(name)
        return port.mode(pin)

    def alternate(self, name: str) -> int | None:
        """The alternate function in effect at a pin, None in other modes or with the port's clock never on."""
        port, pin = self._find(name)
        return port.alternate(pin)

    def supplied(self, name: str) -> bool:
        """Whether a pin has its supply: PG2 to PG15 hang on VDDIO2, which a bit of PWR connects (RM0351 5.1.4)."""
        ports = self._die.chip.of_family.ports
        if not ports.vddio2 or not ports.vddio2_supplies(name[1], int(name[2:])):
            return True
        return bool(self._die.pwr.field(*ports.vddio2))
