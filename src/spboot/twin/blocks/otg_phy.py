"""What an OTG core hangs on: its transceiver within, or a PHY beside the chip (ULPI), clock, supply, and the switch of
VBUS (RM0090 34.16.2 and 35, RM0351 47.15, RM0410 and RM0399: OTG_GUSBCFG, OTG_GCCFG; UTMI+ Low Pin Interface 1.1)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import Final

from spboot.chips import Block as Facts
from spboot.chips.usb import ULPI_CLOCK, Usb, is_large, senses_vbus
from spboot.twin.block import Block
from spboot.twin.blocks.gpio import Gpio
from spboot.twin.die import Die
from spboot.twin.timeline import PS_PER_MS, PS_PER_US

_MODE_PS: Final = 25 * PS_PER_MS
"""Until FHMOD takes effect, at least (RM0090 34.16.2, OTG_FS_GUSBCFG)."""
_ULPI_PS: Final = 2 * PS_PER_US
"""Until a PHY has been told what VBUS shall be: some clocks of 60 MHz."""
_FAST: Final = 2
"""OSPEEDR of lines of 60 MHz: 50 MHz and more at 30 pF is 2 or 3 on each family."""
USB_HZ: Final = 48_000_000
ULPI_HZ: Final = 60_000_000
_MOST_OFF: Final = 0.0025
_LEAST_HCLK: Final = {True: 30_000_000, False: 14_200_000}
"""With ULPI, and without: RM0090 35.3 and 34.3, RM0351 47.3."""
_EXACT: Final = ("HSE", "MSI locked to LSE")
"""Oscillators that are good enough by themselves; HSI48 is not without CRS, which is not modelled."""
_SENSING: Final = 1 << 21
"""GCCFG.NOVBUSSENS, or VBDEN."""
_SUPPLY: Final = {"STM32L4": ("CR2", "USV"), "STM32L4+": ("CR2", "USV"), "STM32H7": ("CR3", "USB33RDY")}
"""Bit of PWR without which the transceiver has no supply (RM0351 5.1.4, RM0399 PWR_CR3)."""
_ADVICE: Final = {
    "USV": "set it: VDDUSB is isolated after a reset",
    "USB33RDY": "set USB33DEN and wait for it: VDD33USB is isolated until it was found good",
}


class OtgPhy(Block, like="otg_v1"):
    """Base of the block: what is below the port."""

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self.socket: Usb | None = None
        self.large = is_large(die.chip, facts.name)
        self.phy_silent = False
        """Fault: the PHY of the board gives no clock."""
        self.phy_vbus = False
        """What a PHY was told last about VBUS; only its own reset pin makes it forget."""
        self.host_at: int | None = None
        die.timeline.on(f"{self.name}.phy", lambda _when: self._tell_phy())

    def power_on(self) -> None:
        self.phy_vbus = False

    @property
    def ulpi(self) -> bool:
        """Whether the board has a PHY beside the chip."""
        return self.socket is not None and self.socket.ulpi

    @property
    def idle(self) -> bool:
        """AHBIDL."""
        raise NotImplementedError

    @property
    def host(self) -> bool:
        """CMOD."""
        return self.host_at is not None and self.die.timeline.now >= self.host_at

    def look(self) -> None:
        """Some pin or VBUS may have changed."""
        raise NotImplementedError

    def detect(self) -> None:
        """The port may see somebody now."""
        raise NotImplementedError

    # registers

    def start_phy(self) -> None:
        """After a reset of the core.  One for high speed begins with ULPI; of others PHYSEL cannot be written."""
        self.host_at = None
        if self.large:
            self.registers["GUSBCFG"] &= ~self.mask("GUSBCFG", "PHYSEL")

    def write_GUSBCFG(self, value: int) -> None:
        fields = ("TOCAL", "PHYSEL", "TRDT", "FHMOD", *(["ULPIEVBUSD"] if self.ulpi else []))
        if value & ~sum(self.mask("GUSBCFG", f) for f in fields) & self.masks["GUSBCFG"]:
            self.die.refuse(f"{self.name}_GUSBCFG = {value:#x}", f"the twin has {', '.join(fields)} alone")
        if not self.idle:
            self.die.refuse(f"{self.name}_GUSBCFG was written while AHBIDL is 0", "wait for the end of CSRST first")
        self.registers["GUSBCFG"] = value & self.masks["GUSBCFG"] | (
            0 if self.large else self.mask("GUSBCFG", "PHYSEL")
        )
        if not value & self.mask("GUSBCFG", "FHMOD"):
            self.host_at = None
        elif self.host_at is None:
            self.host_at = self.die.timeline.now + _MODE_PS
            self.die.timeline.at(f"{self.name}.mode", self.host_at)

    def write_GCCFG_V1(self, value: int) -> None:
        if value & ~(self.mask("GCCFG_V1", "PWRDWN") | _SENSING):
            self.die.refuse(f"{self.name}_GCCFG = {value:#x}", "the twin has PWRDWN and bit 21 alone")
        off = senses_vbus(self.die.chip)
        if bool(value & _SENSING) != off and value:
            name = "NOVBUSSENS is 0" if off else "VBDEN is 1"
            self.die.refuse(
                f"{self.name}_GCCFG = {value:#x}: {name}", "a host that switches VBUS itself does not look at it"
            )
        if value & self.mask("GCCFG_V1", "PWRDWN"):
            self._check_power()
        self.registers["GCCFG_V1"] = value
        self.detect()

    # clock and supply

    def check_clock(self) -> bool:
        """Whether the PHY has a clock, without which CSRST does not end.  Refuses what firmware has to answer for."""
        name = f"{self.name}_GRSTCTL.CSRST was set"
        if self.field("GUSBCFG", "PHYSEL"):
            if self.ulpi:
                self.die.refuse(f"{name} with PHYSEL 1", "the connector is at an ULPI PHY: clear GUSBCFG.PHYSEL first")
            if not self.die.rcc.usb_clock()[0]:
                self.die.refuse(f"{name} and 48 MHz do not run", "start them first: it does not end")
            return True
        if not self.ulpi:
            self.die.refuse(f"{name} with PHYSEL 0", "there is no ULPI PHY: set GUSBCFG.PHYSEL first, it does not end")
        register, field = ULPI_CLOCK
        if not self.die.block("RCC", Block).field(register, field):
            self.die.refuse(f"{name} with RCC_{register}.{field} 0", "set it first: it lets in the clock of the PHY")
        self._check_lines()
        return not self.phy_silent

    def check_supply(self) -> None:
        """Refuse a clock that is not good enough, pins and supply that are not there."""
        die = self.die
        hertz, source = (ULPI_HZ, "HSE") if self.ulpi else die.rcc.usb_clock()
        if source not in _EXACT or (not self.ulpi and abs(hertz - USB_HZ) > USB_HZ * _MOST_OFF):
            die.refuse(
                f"{self.name} runs on {hertz / 1e6:g} MHz from {source or 'nothing'}",
                f"it needs 48 MHz, exact to 0.25 %: from {' or '.join(_EXACT)}",
            )
        least = _LEAST_HCLK[self.ulpi]
        if die.rcc.hclk < least:
            die.refuse(f"{self.name} with HCLK {die.rcc.hclk / 1e6:g} MHz", f"it needs {least / 1e6:g} MHz at least")
        self._check_power()
        self._check_lines()

    def _check_power(self) -> None:
        register, field = _SUPPLY.get(self.die.chip.family, ("", ""))
        if register and not self.die.pwr.field(register, field):
            self.die.refuse(f"{self.name} without PWR_{register}.{field}", _ADVICE[field])

    def _check_lines(self) -> None:
        for pin, function in self.socket.lines.values() if self.socket is not None else ():
            if self.die.pins.alternate(pin) != function:
                self.die.refuse(f"{self.name} with {pin} in another mode", f"give it alternate function {function}")
            port = self.die.block(f"GPIO{pin[1]}", Gpio)
            if self.ulpi and port.registers["OSPEEDR"] >> 2 * int(pin[2:]) & 3 < _FAST:
                self.die.refuse(f"{self.name} with {pin} too slow for 60 MHz", "set its OSPEEDR to 3")

    # VBUS

    def vbus(self) -> bool:
        """Whether the board's switch is on: its pin is driven to that level, or the PHY was told so."""
        if self.socket is None or self.socket.power is None:
            return self.phy_vbus
        if self.die.pins.mode(self.socket.power) != 1:
            return False
        if bool(self.die.pins.get(self.socket.power)) != self.socket.power_high:
            return False
        if not self.die.pins.supplied(self.socket.power):
            self.die.refuse(f"{self.socket.power} switches VBUS on and has no supply", "set PWR_CR2.IOSV first")
        return True

    def port_power(self) -> None:
        """HPRT.PPWR was written: a PHY is told, which takes a moment."""
        if not self.ulpi:
            return
        if self.field("HPRT", "PPWR") and not self.field("GUSBCFG", "ULPIEVBUSD"):
            self.die.refuse(
                f"{self.name}_HPRT.PPWR was set with GUSBCFG.ULPIEVBUSD 0",
                "set ULPIEVBUSD: VBUS comes from a switch that the PHY drives, it has no supply of its own",
            )
        self.die.timeline.at(f"{self.name}.phy", self.die.timeline.now + _ULPI_PS)

    def _tell_phy(self) -> None:
        self.phy_vbus = bool(self.field("HPRT", "PPWR"))
        self.look()
