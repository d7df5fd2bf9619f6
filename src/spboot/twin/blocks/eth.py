"""The Ethernet MAC of STM32F4 (RM0090 33): its registers, the management interface of a PHY, filters; DMA: eth_dma.py.

PTP, counters of MMC but for good frames, wake-up by frames and flow control are refused or stay 0."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from functools import partial
from typing import ClassVar, Final, NoReturn

from spboot.chips import Block as Facts
from spboot.chips.ethernet import FUNCTION, Ethernet
from spboot.twin.blocks.eth_dma import EthDma
from spboot.twin.die import Die
from spboot.twin.ethernet.cable import Cable
from spboot.twin.ethernet.lan8742a import Lan8742a
from spboot.twin.ethernet.registers import DMA, MAC
from spboot.twin.timeline import PS_PER_S

_REFUSED: Final = {
    "MACHTHR": "hash filters", "MACHTLR": "hash filters", "MACFCR": "flow control", "MACVLANTR": "VLAN tags",
    "MACRWUFFR": "wake-up by frames", "MACPMTCSR": "wake-up by frames", "MMCCR": "control of its counters",
}  # fmt: skip
_DIVIDERS: Final = {0: 42, 1: 62, 2: 16, 3: 26, 4: 102}
"""MACMIIAR.CR -> HCLK by MDC (RM0090 33.4.1)."""
_MDC_HZ: Final = 2_500_000
_SMI_BITS: Final = 64
_LEAST_HCLK: Final = 25_000_000
_GATES: Final = ("ETHEN", "ETHTXEN", "ETHRXEN")
_NOBODY: Final = 0xFFFF
_MACS: Final = range(4)


class Eth(EthDma):
    """The block."""

    FOR = ("ETH",)
    FAMILIES = ("STM32F4",)
    REGISTERS: ClassVar[dict[str, int]] = {name: offset for name, (offset, _) in (MAC | DMA).items()}
    RESET: ClassVar[dict[str, int]] = {
        "MACCR": 0x8000, "MACA0HR": 0x8000FFFF, "DMABMR": 0x20100, **{f"MACA{n}HR": 0xFFFF for n in (1, 2, 3)},
        **{f"MACA{n}LR": 0xFFFFFFFF for n in _MACS}, "PTPTSCR": 0x2000,
    }  # fmt: skip
    READ_ONLY = frozenset({
        "MACDBGR", "MACSR", "MMCRIR", "MMCTIR", "MMCTGFSCCR", "MMCTGFMSCCR", "MMCTGFCR", "MMCRFCECR", "MMCRFAECR",
        "MMCRGUFCR", "DMACHTDR", "DMACHRDR", "DMACHTBAR", "DMACHRBAR",
    })  # fmt: skip
    PAGES = (0, 1, 2, 3, 4)
    STATE: ClassVar[tuple[str, ...]] = (
        "transmitter", "receiver", "sending", "_frame", "reset_until", "phy", "_busy_until", "_chosen",
    )  # fmt: skip

    def __init__(self, die: Die, facts: Facts) -> None:
        self.socket: Ethernet | None = None
        """How a board connects its PHY."""
        self.phy: Lan8742a | None = None
        self.cable = Cable()
        self._frame = b""
        self._partner = False
        """What the PHY was told of the other end."""
        self._chosen: int | None = None
        """MII_RMII_SEL as it was when the MAC got its clock."""
        super().__init__(die, facts)
        for name, (offset, fields) in (MAC | DMA).items():
            self._declare(name, offset, fields)
        for name, what in _REFUSED.items():
            self._writers[self.offset_of(name)] = partial(self._refuse_use, name, what)
        for name in (name for name in MAC if name.startswith("PTP")):
            self._readers[self.offset_of(name)] = partial(self._refuse_ptp, name)
            self._writers[self.offset_of(name)] = partial(self._refuse_ptp, name)
        self.cable.watch(self._cable_changed)

    def fit(self, socket: Ethernet) -> None:
        """Put the PHY of a board to it."""
        self.socket, self.phy = socket, Lan8742a(socket.address)

    @property
    def _now(self) -> float:
        return self.die.timeline.now / PS_PER_S

    def reset(self) -> None:
        super().reset()
        self._busy_until = 0

    def power_on(self) -> None:
        self.pin_reset()

    def pin_reset(self) -> None:
        """The reset of the PHY is that of the board."""
        if self.phy is not None:
            self.phy.reset(self._now)
        self.cable.arriving.clear()

    def clocks_changed(self) -> None:
        """RMII or MII is chosen before the MAC gets its clock, or in its reset (RM0090 9.2.2, SYSCFG_PMC)."""
        rcc = self.die.rcc
        on = bool(rcc.field("AHB1ENR", "ETHEN")) and not rcc.field("AHB1RSTR", "ETHRST")
        if not on:
            self._chosen = None
        elif self._chosen is None:
            self._chosen = self._selected()

    def _selected(self) -> int:
        return self.die.blocks["SYSCFG"].field("PMC", "MII_RMII_SEL")

    def write(self, offset: int, size: int, value: int) -> None:
        name = self.names.get(offset & ~3, "")
        if size != 4:
            self.die.refuse(f"{self.name}_{name} written with {size} bytes", "write words (RM0090 33.8)")
        if self.resetting and name != "DMABMR":
            self.die.refuse(f"{self.name}_{name} written while DMABMR.SR is set", "wait until it reads as 0")
        super().write(offset, size, value)

    def _refuse_use(self, name: str, what: str, value: int) -> None:
        if value:
            self.die.refuse(f"{self.name}_{name} = {value:#x}", f"the twin does not model {what}")

    def _refuse_ptp(self, name: str, _value: int = 0) -> NoReturn:
        self.die.refuse(f"{self.name}_{name} was accessed", "the twin does not model the clock of PTP")

    # what has to be there

    def check_start(self, what: str) -> None:
        """A core reset, and the DMA: clocks, RMII, pins, a PHY with its clock."""
        rcc, clocks = self.die.rcc, self.die.rcc.hclk
        missing = [gate for gate in _GATES if not rcc.field("AHB1ENR", gate)]
        if missing:
            self.refuse(f"{what} with {missing[0]} of RCC_AHB1ENR 0", "set ETHEN, ETHTXEN and ETHRXEN: it never ends")
        if clocks < _LEAST_HCLK:
            self.refuse(f"{what} with HCLK {clocks / 1e6:g} MHz", "the MAC needs 25 MHz (RM0090 33.4.4)")
        if self.socket is None or self.phy is None:
            self.refuse(f"{what} on a board without a PHY", "its board file has no [ethernet]: there is no clock")
        if not self._selected():
            self.refuse(
                f"{what} with SYSCFG_PMC.MII_RMII_SEL 0", "this board has RMII: there is no clock of MII, it never ends"
            )
        if self._chosen == 0:
            self.die.forbid(
                f"{self.name}: MII_RMII_SEL was changed after ETHEN", "choose RMII first, or pulse ETHRST behind it"
            )
        self._check_pins(what, "ref_clk")

    def _check_pins(self, what: str, *signals: str) -> None:
        assert self.socket is not None
        for signal in signals:
            pin = self.socket.lines[signal]
            if self.die.pins.alternate(pin) != FUNCTION:
                self.refuse(f"{what} with {pin} not {signal.upper()} of RMII", f"make it alternate function {FUNCTION}")

    def _link(self) -> tuple[int, bool] | None:
        return None if self.phy is None else self.phy.speed(self._now, partner=self.cable.plugged)

    def wire_bps(self, what: str) -> int:
        link = self._link()
        if link is None:
            return 0
        mbits, full = link
        if what:
            self._check_pins(what, "tx_en", "txd0", "txd1", "crs_dv", "rxd0", "rxd1")
        if self.field("MACCR", "FES") != (mbits == 100) or self.field("MACCR", "DM") != full:
            self.refuse(
                f"frames with MACCR.FES {self.field('MACCR', 'FES')}, DM {self.field('MACCR', 'DM')} on a link of"
                f" {mbits} Mbit/s, {'full' if full else 'half'} duplex",
                "take both from the PHY once it has negotiated",
            )
        return mbits * 1_000_000

    # MAC registers

    def write_MACCR(self, value: int) -> None:
        for bit, what in (("IPCO", "checksums by the MAC"), ("LM", "loop-back")):
            if value & self.mask("MACCR", bit):
                self.refuse(f"MACCR.{bit} set", f"the twin does not model {what}")
        self.registers["MACCR"] = value & self.masks["MACCR"] | self.RESET["MACCR"]
        self.follow()

    def write_MACFFR(self, value: int) -> None:
        for bit in ("HU", "HM", "DAIF", "SAIF", "SAF", "HPF"):
            if value & self.mask("MACFFR", bit):
                self.refuse(f"MACFFR.{bit} set", "the twin filters by address 0 to 3, PAM, BFD, PM and RA")
        self.registers["MACFFR"] = value & self.masks["MACFFR"]

    def write_MACA0HR(self, value: int) -> None:
        self.registers["MACA0HR"] = value & 0xFFFF | 1 << 31

    # SMI

    def read_MACMIIAR(self) -> int:
        busy = self.die.timeline.now < self._busy_until
        return self.registers["MACMIIAR"] | busy

    def write_MACMIIDR(self, value: int) -> None:
        self._check_idle("MACMIIDR")
        self.registers["MACMIIDR"] = value & 0xFFFF

    def _check_idle(self, name: str) -> None:
        if self.die.timeline.now < self._busy_until:
            self.refuse(f"{name} written while MB is set", "wait until MB reads as 0; it is ignored")

    def write_MACMIIAR(self, value: int) -> None:
        self._check_idle("MACMIIAR")
        self.registers["MACMIIAR"] = value & self.masks["MACMIIAR"] & ~1
        if not value & 1:
            return
        divider = _DIVIDERS.get(self.field("MACMIIAR", "CR"))
        if divider is None or self.die.rcc.hclk > divider * _MDC_HZ:
            self.refuse(
                f"MACMIIAR.CR {self.field('MACMIIAR', 'CR')} with HCLK {self.die.rcc.hclk / 1e6:g} MHz",
                "MDC has 2.5 MHz at most: choose CR by HCLK (RM0090 33.4.1)",
            )
        if self.socket is None or self.phy is None:
            self.refuse("SMI on a board without a PHY", "its board file has no [ethernet]")
        self._check_pins("MACMIIAR.MB set", "mdc", "mdio")
        self._busy_until = self.die.timeline.now + _SMI_BITS * divider * PS_PER_S // self.die.rcc.hclk
        self.die.timeline.at(f"{self.name}.smi", self._busy_until)
        self._transfer(self.phy, write=bool(value & 2))

    def _transfer(self, phy: Lan8742a | None, *, write: bool) -> None:
        assert phy is not None
        register, there = self.field("MACMIIAR", "MR"), self.field("MACMIIAR", "PA") == phy.address
        if not write:
            value = phy.read(register, self._now, partner=self.cable.plugged) if there else _NOBODY
            self.registers["MACMIIDR"] = value
        elif there:
            phy.write(register, self.registers["MACMIIDR"], self._now)

    # frames

    def _cable_changed(self) -> None:
        if self.phy is not None and self.cable.plugged != self._partner:
            self._partner = self.cable.plugged
            self.phy.partner(self._now, there=self._partner)
        self.follow()

    def put_on_wire(self, frame: bytes) -> None:
        if self._link() is not None and self.field("MACCR", "TE"):
            self.registers["MMCTGFCR"] = self.registers["MMCTGFCR"] + 1 & 0xFFFFFFFF
            self.cable.sent.append(frame)

    def arriving(self) -> int:
        return len(self.cable.arriving[0]) if self.cable.arriving else 0

    def next_arrived(self) -> bytes | None:
        if not self.cable.arriving:
            return None
        frame = self.cable.arriving.popleft()
        if not self.clocked or not self.field("MACCR", "RE") or not self.wire_bps("a frame is received"):
            return None
        if not self._accepts(frame[:6]):
            return None
        if not frame[0] & 1:
            self.registers["MMCRGUFCR"] = self.registers["MMCRGUFCR"] + 1 & 0xFFFFFFFF
        typed = int.from_bytes(frame[12:14], "big") >= 0x600
        if self.field("MACCR", "CSTF") and typed:
            return frame
        if self.field("MACCR", "APCS") and not typed:
            self.refuse("a frame with a length and MACCR.APCS set", "the twin does not strip padding")
        return frame + self.fcs(frame)

    def _accepts(self, address: bytes) -> bool:
        """By the filters (RM0090 33.5.3)."""
        if self.field("MACFFR", "RA") or self.field("MACFFR", "PM"):
            return True
        if address == b"\xff" * 6:
            return not self.field("MACFFR", "BFD")
        if address[0] & 1:
            return bool(self.field("MACFFR", "PAM"))
        return any(self._own(n) == address for n in _MACS if n == 0 or self.field(f"MACA{n}HR", "AE"))

    def _own(self, n: int) -> bytes:
        low, high = self.registers[f"MACA{n}LR"], self.field(f"MACA{n}HR", "MACAH")
        if n and self.field(f"MACA{n}HR", "MBC"):
            self.refuse(f"MACA{n}HR.MBC set", "the twin compares all bytes of an address")
        return low.to_bytes(4, "little") + high.to_bytes(2, "little")

    def load(self, state: object) -> None:
        """What is on the cable is lost."""
        super().load(state)
        self.cable.sent.clear()
        self.cable.arriving.clear()
        self._partner = self.cable.plugged
        self.follow()
