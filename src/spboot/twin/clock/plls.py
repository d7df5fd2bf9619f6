"""Clock trees with three PLLs, of H5, H7 and U5: PLL1 may drive the core; the others start, but feed nothing here."""

from __future__ import annotations

from typing import ClassVar

from spboot.twin.clock.rcc import Rcc, ahb_hz


class RccPlls(Rcc, like="rcc_h5"):
    """Base of them."""

    OUTPUT: ClassVar[tuple[str, str, str]]
    """Register and field that enable the output of PLL1 for the core, and what the manual calls them."""
    AHB: ClassVar[tuple[str, str]] = ("CFGR2", "HPRE")
    """Register and field with the prescaler of the core."""

    def bit(self, name: str, kind: str) -> int:
        return self.mask("CR", f"PLL{kind}{int(name[3]) - 1}" if name.startswith("PLL") else f"{name}{kind}")

    def pll_source(self) -> str:
        """What feeds PLL1, "" when nothing does."""
        raise NotImplementedError

    def hertz(self, name: str) -> int:
        """The frequency of a source."""
        raise NotImplementedError

    def switched(self) -> str:
        """What the system clock runs from."""
        return self.SOURCES[self.field(self.SWITCH, "SWS")]

    def used(self) -> set[str]:
        name = self.switched()
        return {used for used in (name, self.pll_source() if name == "PLL1" else "") if used}

    # PLL1

    def check_start(self, name: str) -> None:
        if name != "PLL1":
            return
        source = self.pll_source()
        if not source or not self.ready(source):
            self.die.refuse(f"PLL1ON with source {source or 'none'} not ready", "start it first")
        self.check_factors()

    def check_factors(self) -> None:
        """Refuse factors of PLL1 that the manual forbids."""
        raise NotImplementedError

    def refuse_running(self, what: str) -> None:
        """Refuse *what*, as "RCC_PLL1CFGR changed", while PLL1 is on."""
        if self.on("PLL1"):
            self.die.refuse(f"{what} while PLL1 is on", "clear PLL1ON and wait for PLL1RDY = 0")

    def set_register(self, name: str, value: int) -> None:
        """Store *value*; frequencies follow."""
        self.registers[name] = value & self.masks[name]
        self.update()

    # the switch

    def set_switch(self, value: int) -> None:
        """SWITCH becomes *value*, but for SWS, which follows the clock."""
        sws = self.mask(self.SWITCH, "SWS")
        self.set_register(self.SWITCH, value & ~sws | self.registers[self.SWITCH] & sws)

    def follow_switch(self) -> None:
        """SWS becomes SW once the source that it names is ready."""
        choice, (register, field, name) = self.field(self.SWITCH, "SW"), self.OUTPUT
        if choice >= len(self.SOURCES) or not self.ready(self.SOURCES[choice]):
            return
        if self.SOURCES[choice] == "PLL1" and not self.field(register, field):
            self.die.refuse(f"system clock from PLL1 with {name.split('.')[1]} clear", f"set {name}")
        low, sws = self.fields[self.SWITCH]["SWS"][0], self.mask(self.SWITCH, "SWS")
        self.registers[self.SWITCH] = self.registers[self.SWITCH] & ~sws | choice << low

    def update(self) -> None:
        self.follow_switch()
        self.sysclk = self.hertz(self.switched())
        self.set_hclk(ahb_hz(self.sysclk, self.field(*self.AHB)))
