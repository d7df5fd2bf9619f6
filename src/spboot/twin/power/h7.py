"""Power control of STM32H7 (RM0399 chapter 7, RM0433 6): the supply, which is chosen once, and voltage scaling."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import Any, ClassVar, Final

import unicorn

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.timeline import PS_PER_US

_SETTLE_PS: Final = 50 * PS_PER_US
_LIMIT_MHZ: Final = {1: 200, 2: 300, 3: 400}
"""VOS in D3CR -> MHz of the core: scales 3, 2 and 1 (DS12923 general operating conditions)."""
_VOSRDY: Final = 1 << 13
_DETECT_PS: Final = 20 * PS_PER_US
"""Until the detector of VDD33USB has looked; no manual says how long that takes."""


class PwrH7(Block, ips=("pwr_h7rm0399",)):
    """Until CR3 says how the core is supplied the chip is in Run*, where RAM must not be written (RM0399 7.4.1)."""

    RESET: ClassVar[dict[str, int]] = {"CR1": 0xF000C000, "CR3": 6, "D3CR": 1 << 14, "WKUPEPR": 0}
    READ_ONLY = frozenset({"CSR1"})
    RUNS_IN_STOP = True
    STATE = ("chosen", "_ready_at", "_slept", "vdd33usb")
    WIRINGS: ClassVar[dict[str, int]] = {"ldo": 2, "smps": 4}
    """Supply -> the bits of CR3 under SUPPLY that fit it."""
    SUPPLY: ClassVar[int] = 7
    SCUEN: ClassVar[int] = 0

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        if facts.ip == "pwr_h7rm0399":  # of the other core, which does not run here (RM0399 7.8.6)
            self._declare("CPU2CR", 0x14, {f"PDDS_D{domain}": (domain - 1, 1) for domain in (1, 2, 3)})
        self.chosen = False
        self._slept: set[str] = set()
        """Flags of CPUCR that stand."""
        self._hooks: list[Any] = []
        self.vdd33usb = True
        """Fault: whether the board supplies the transceivers of USB."""
        die.timeline.on("PWR", self._on_settled)
        die.timeline.on("PWR.usb", lambda _when: self._on_detected())

    def reset(self) -> None:
        supply = self.registers.get("CR3", 0)
        super().reset()
        if self.chosen:
            self.registers["CR3"] = supply
        self._slept.discard("SBF_D1")  # by a system reset (RM0399 7.8.5)
        self._ready_at = 0

    def power_on(self) -> None:
        """Forget the supply: a power-on."""
        self.chosen = False
        self._slept = set()
        self.registers["CR3"] = self.RESET["CR3"]
        if not self._hooks:
            self._hooks = [
                self.die.core.uc.hook_add(
                    unicorn.UC_HOOK_MEM_WRITE, self._on_write, begin=base, end=base + len(ram) - 1
                )
                for base, ram in self.die.rams.buffers.items()
            ]

    def _on_write(self, _uc: Any, _kind: int, address: int, _size: int, _value: int, _data: Any) -> None:
        if self.die.core.in_it_block:
            self.die.core.clear_it_state()
        if not self._ready:
            self.die.refuse_later(
                f"RAM at {address:#010x} was written in Run*",
                "write PWR_CR3 and wait for ACTVOSRDY before (RM0399 7.4.1)",
            )

    def _on_settled(self, _when: int) -> None:
        if self._ready:
            for hook in self._hooks:
                self.die.core.uc.hook_del(hook)
            self._hooks = []

    def write_CR3(self, value: int) -> None:
        low = value & self.SUPPLY
        if self.chosen:
            value = value & ~0x3F | self.registers["CR3"] & 0x3F
        elif low != self.WIRINGS[self.die.core_supply]:
            self.die.refuse(
                f"PWR_CR3 = {value:#x} on a board with {self.die.core_supply.upper()}: the core loses its supply",
                f"write {self.WIRINGS[self.die.core_supply]} to its low bits (RM0399 7.4.1)",
            )
        self._write_usb(value)
        self.registers["CR3"] = (
            self.registers["CR3"] & self._usb() | value & self.masks["CR3"] & ~self.SCUEN & ~self._usb()
        )
        if not self.chosen:
            self.chosen = True
            self._settle()

    def _usb(self) -> int:
        """USB33RDY, which follows USB33DEN (RM0399 7.8.4, PWR_CR3)."""
        return self.mask("CR3", "USB33RDY")

    def _write_usb(self, value: int) -> None:
        if not value & self.mask("CR3", "USB33DEN"):
            self.registers["CR3"] &= ~self._usb()
            self.die.timeline.cancel("PWR.usb")
        elif not self.field("CR3", "USB33DEN"):
            self.die.timeline.at("PWR.usb", self.die.timeline.now + _DETECT_PS)

    def _on_detected(self) -> None:
        if self.vdd33usb:
            self.registers["CR3"] |= self._usb()

    def deep_sleep(self) -> str:
        """RM0399 7.7: "standby" where every domain may, "domain" where that of the core alone may, "" for Stop."""
        down = [self.field("CPUCR", f"PDDS_D{domain}") for domain in (1, 2, 3)]
        return "standby" if all(down) else "domain" if down[0] else ""

    def slept(self, kind: str) -> None:
        """Standby was entered, by the chip or by domain 1, or Stop: it ends in scale 3 (RM0433 6.6.2)."""
        self._slept.add({"standby": "SBF", "stop": "STOPF"}.get(kind, "SBF_D1"))
        if kind == "stop":
            self.registers["D3CR"] = self.RESET["D3CR"]

    def wake_pins(self) -> dict[str, bool]:
        """None: they are not modelled."""
        return {}

    def woken_by(self, pin: str) -> None:
        """It has no flag."""

    def read_CPUCR(self) -> int:
        return self.registers["CPUCR"] | sum(self.mask("CPUCR", name) for name in self._slept)

    def write_CPUCR(self, value: int) -> None:
        if value & self.mask("CPUCR", "CSSF"):
            self._slept = set()
        flags = sum(self.mask("CPUCR", name) for name in ("CSSF", "SBF", "SBF_D1", "SBF_D2", "STOPF"))
        self.registers["CPUCR"] = value & self.masks["CPUCR"] & ~flags

    def _settle(self) -> None:
        self._ready_at = self.die.timeline.now + _SETTLE_PS
        self.die.timeline.at("PWR", self._ready_at)

    @property
    def _ready(self) -> bool:
        return self.chosen and self.die.timeline.now >= self._ready_at

    @property
    def limit_mhz(self) -> int:
        """The fastest core clock that the voltage carries."""
        return _LIMIT_MHZ[self.scale]

    @property
    def scale(self) -> int:
        """VOS: 3 is scale 1, 1 is scale 3."""
        return self.field("D3CR", "VOS")

    def write_D3CR(self, value: int) -> None:
        scale = value >> 14 & 3
        if scale not in _LIMIT_MHZ:
            self.die.refuse(f"PWR_D3CR.VOS = {scale}", "use 1 (scale 3), 2 (scale 2) or 3 (scale 1)")
        if not self.chosen:
            self.die.refuse("PWR_D3CR.VOS written before PWR_CR3", "choose the supply first (RM0399 7.4.1)")
        if scale != self.scale:
            self._settle()
        self.registers["D3CR"] = scale << 14
        self.die.rcc.check_limits()

    def read_D3CR(self) -> int:
        return self.registers["D3CR"] | (_VOSRDY if self._ready else 0)

    def read_CSR1(self) -> int:
        return self.scale << 14 | (_VOSRDY if self._ready else 0)

    @property
    def settled(self) -> bool:
        """The voltage is what VOS says."""
        return self._ready


class PwrH743(PwrH7, ips=("pwr_h7rm0433",)):
    """RM0433 6.8.4: no SMPS; SCUEN reads 1 until the supply was chosen."""

    WIRINGS: ClassVar[dict[str, int]] = {"ldo": 2}
    SUPPLY = 3
    SCUEN = 4
