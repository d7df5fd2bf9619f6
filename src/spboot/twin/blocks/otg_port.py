"""The OTG core as a host, without its channels: resets, and the port (RM0090 34, RM0386, RM0351 47, RM0432 48)."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.chips.usb import Usb
from spboot.errors import TwinError
from spboot.twin.blocks.otg_phy import OtgPhy
from spboot.twin.die import Die
from spboot.twin.timeline import PS_PER_MS, PS_PER_US
from spboot.twin.usb.packet import Device

_WORDS: Final = {True: 1024, False: 320}
"""Of FIFO memory, in a core for high speed and in others: 4 KB, 1.25 KB (RM0410, RM0090 34.11, RM0351 47.11)."""
_IDLE_PS: Final = 2 * PS_PER_US
_CORE_RESET_PS: Final = 10 * PS_PER_US
_NEVER: Final = 1 << 99
_FLUSH_PS: Final = PS_PER_US
_LEAST_RESET_PS: Final = 10 * PS_PER_MS
"""Of the bus (RM0090 34.7.1)."""
_DEBOUNCE_PS: Final = 100 * PS_PER_MS
"""TATTDB (USB 2.0 7.1.7.3)."""
_ENABLE_PS: Final = 30 * PS_PER_US
_HOST: Final = range(0x400, 0x800)
_DEVICE: Final = range(0x800, 0xE00)
_FIFOS: Final = range(0x1000, 0x11000)
_OTHER_GLOBALS: Final = range(0x3C, 0x60)
_NOT_MODELLED: Final = ("GOTGCTL", "GI2CCTL", "ADPCTL")
_PORT_CHANGES: Final = ("PCDET", "PENCHNG", "POCCHNG")


class OtgPort(OtgPhy, like="otg_v1"):
    """Base of the block.  Without a connector it models nothing, and gives way to silence."""

    OPTIONAL = True
    PAGES: ClassVar[tuple[int, ...]] = tuple(range(_FIFOS.stop >> 10))
    OTHER_LAYOUTS = frozenset({"GCCFG_V2", "GCCFG_V3"})
    STATE: ClassVar[tuple[str, ...]] = (
        "device", "idle_at", "seen_idle", "host_at", "flushed_at", "powered", "connected_at", "seen_at", "reset_at",
        "enabled_at", "disconnected", "changes", "phy_silent", "phy_vbus",
    )  # fmt: skip
    RESET: ClassVar[dict[str, int]] = {
        "GUSBCFG": 0x1440, "GRXFSIZ": 0x200, "HNPTXFSIZ": 0x0200_0200, "HFIR": 0xEA60, "PCGCCTL": 0,
    }  # fmt: skip

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self.device: Device | None = None
        self.powered = False
        """VBUS is on, and the device has seen it."""
        self.connected_at = 0
        for key, handler in (
            ("core", self._idle),
            ("mode", self.detect),
            ("port", self.detect),
            ("enable", self._enable),
        ):
            die.timeline.on(f"{self.name}.{key}", partial(self._at, handler))

    @staticmethod
    def _at(handler: Callable[[], None], _when: int) -> None:
        handler()

    def _idle(self) -> None:
        """Something of the core itself is done; who waits for it looks at the time."""

    # the outside

    def fit(self, socket: Usb) -> None:
        """The connector of a board."""
        self.socket = socket
        self.die.pins.watch(self.look)

    def plug(self, device: Device) -> None:
        """*device* is put in; what was there before is out.  Raises TwinError where there is no connector."""
        if self.socket is None:
            raise TwinError(f"{self.name} has no connector: its board file has no [usb]")
        self.pull()
        self.device = device
        if self.registers:
            self.look()

    def pull(self) -> None:
        """The device is taken out."""
        self.device = None
        self.powered = False
        if self.registers:
            self._gone()

    def look(self) -> None:
        """Some pin may have changed."""
        if self.device is None or not self.registers:
            return
        on, now = self.vbus(), self.die.timeline.now
        if on and not self.powered:
            self.powered = True
            self.device.power(now)
            self.connected_at = now + self.device.connect_ps
            self.die.timeline.at(f"{self.name}.port", self.connected_at)
        elif not on and self.powered:
            self.powered = False
            self._gone()

    # resets

    def reset(self) -> None:
        super().reset()
        self.die.timeline.cancel(f"{self.name}.phy")
        self.core_reset()
        self.seen_idle = False
        self.idle_at = self.die.timeline.now + _IDLE_PS
        self.die.timeline.at(f"{self.name}.core", self.idle_at)

    def core_reset(self) -> None:
        """CSRST: all registers but FSLSPCS and the bits of PCGCCTL (RM0090 34.16.2, OTG_FS_GRSTCTL), and GCCFG, which
        is beside the core that is reset: host stacks that are in use everywhere switch the transceiver on before."""
        kept = {"HCFG": self.registers["HCFG"] & 3, **{name: self.registers[name] for name in ("PCGCCTL", "GCCFG_V1")}}
        super().reset()
        self.registers.update(kept)
        self.start_phy()
        self.flushed_at = 0
        self.forget_port()

    def forget_port(self) -> None:
        """As nobody had been there."""
        self.seen_at: int | None = None
        self.reset_at: int | None = None
        self.enabled_at: int | None = None
        self.disconnected = False
        self.changes: set[str] = set()
        self.die.timeline.cancel(f"{self.name}.enable")

    @property
    def idle(self) -> bool:
        """AHBIDL."""
        return self.die.timeline.now >= self.idle_at

    def read_GRSTCTL(self) -> int:
        now = self.die.timeline.now
        value = self.registers["GRSTCTL"]
        if self.idle:
            self.seen_idle = True
            value = value & ~self.mask("GRSTCTL", "CSRST") | self.mask("GRSTCTL", "AHBIDL")
        if now >= self.flushed_at:
            value &= ~(self.mask("GRSTCTL", "RXFFLSH") | self.mask("GRSTCTL", "TXFFLSH"))
        return value

    def write_GRSTCTL(self, value: int) -> None:
        now = self.die.timeline.now
        if not self.idle or not self.seen_idle:
            self.die.refuse(f"{self.name}_GRSTCTL was written and AHBIDL was not seen as 1", "wait for it: it may hang")
        if now < self.flushed_at:
            self.die.refuse(f"{self.name}_GRSTCTL was written during a flush", "wait until the flush bit is 0")
        if value & (self.mask("GRSTCTL", "HSRST") | self.mask("GRSTCTL", "FCRST")):
            self.die.refuse(f"{self.name}_GRSTCTL = {value:#x}", "the twin has CSRST and the flushes alone")
        self.registers["GRSTCTL"] = value & self.masks["GRSTCTL"]
        if value & self.mask("GRSTCTL", "CSRST"):
            ends = self.check_clock()
            self.core_reset()
            self.registers["GRSTCTL"] = self.mask("GRSTCTL", "CSRST")
            self.idle_at = now + _CORE_RESET_PS if ends else _NEVER
            if ends:
                self.die.timeline.at(f"{self.name}.core", self.idle_at)
            return
        flushes = value & (self.mask("GRSTCTL", "RXFFLSH") | self.mask("GRSTCTL", "TXFFLSH"))
        if flushes:
            self.flush(rx=bool(flushes & self.mask("GRSTCTL", "RXFFLSH")))
            self.flushed_at = now + _FLUSH_PS
            self.die.timeline.at(f"{self.name}.core", self.flushed_at)

    def flush(self, *, rx: bool) -> None:
        """A FIFO is emptied."""
        raise NotImplementedError

    def write_GAHBCFG(self, value: int) -> None:
        if value & (self.mask("GAHBCFG", "DMAEN") | self.mask("GAHBCFG", "HBSTLEN")):
            self.die.refuse(
                f"{self.name}_GAHBCFG = {value:#x}",
                "the twin does not model its DMA: leave it off" if self.large else "this core has no DMA",
            )
        if value & self.mask("GAHBCFG", "GINT"):
            self.die.refuse(f"{self.name}_GAHBCFG.GINT was set", "the twin does not model its interrupts: poll")
        self.registers["GAHBCFG"] = value & self.masks["GAHBCFG"]

    def write_PCGCCTL(self, value: int) -> None:
        if value:
            self.die.refuse(f"{self.name}_PCGCCTL = {value:#x}", "the twin does not stop its clocks")

    # the port

    def detect(self) -> None:
        """Whether the port sees a device that it did not see before."""
        now = self.die.timeline.now
        on = (self.ulpi or self.field("GCCFG_V1", "PWRDWN")) and self.field("HPRT", "PPWR")
        there = self.device is not None and self.powered and now >= self.connected_at
        if not (there and on and self.host and self.seen_at is None):
            return
        self.check_supply()
        self.seen_at = now
        self.changes.add("PCDET")

    def _gone(self) -> None:
        """The device is out."""
        if self.seen_at is None:
            return
        self.forget_port()
        self.disconnected = True
        self.changes.add("PENCHNG")
        self.hang()

    def hang(self) -> None:
        """Channels that were enabled stay so."""
        raise NotImplementedError

    def _enable(self) -> None:
        """A reset of the bus has ended."""
        if self.seen_at is not None:
            self.enabled_at = self.die.timeline.now
            self.changes.add("PENCHNG")

    def read_HPRT(self) -> int:
        mask = self.mask
        value = self.registers["HPRT"] & mask("HPRT", "PPWR")
        value |= sum(mask("HPRT", name) for name in self.changes)
        if self.reset_at is not None:
            value |= mask("HPRT", "PRST")
        if self.seen_at is not None and self.device is not None:
            low = self.device.speed == "low"
            value |= mask("HPRT", "PCSTS") | 1 << (11 if low else 10)
            if self.enabled_at is not None:
                value |= mask("HPRT", "PENA") | (2 if low else 1) << 17
        return value

    def write_HPRT(self, value: int) -> None:
        """PENA and the change bits are cleared by a 1."""
        if value & (self.mask("HPRT", "PSUSP") | self.mask("HPRT", "PRES") | self.mask("HPRT", "PTCTL")):
            self.die.refuse(f"{self.name}_HPRT = {value:#x}", "the twin does not model suspend and test modes")
        for name in _PORT_CHANGES:
            if value & self.mask("HPRT", name):
                self.changes.discard(name)
        if value & self.mask("HPRT", "PENA") and self.enabled_at is not None:
            self.enabled_at = None
            self.changes.add("PENCHNG")
        self.registers["HPRT"] = value & self.mask("HPRT", "PPWR")
        self.port_power()
        self._write_reset(bool(value & self.mask("HPRT", "PRST")))
        if not self.registers["HPRT"]:
            self.forget_port()
        self.detect()

    def _write_reset(self, on: bool) -> None:
        now = self.die.timeline.now
        if on and self.reset_at is None:
            if self.seen_at is None:
                self.die.refuse(f"{self.name}_HPRT.PRST was set with no device there", "wait for PCSTS first")
            if now - self.seen_at < _DEBOUNCE_PS:
                self.die.refuse(
                    f"{self.name}_HPRT.PRST was set {(now - self.seen_at) / PS_PER_MS:.1f} ms after the device came",
                    "wait 100 ms: its contacts bounce (USB 2.0 7.1.7.3)",
                )
            self.reset_at, self.enabled_at = now, None
        elif not on and self.reset_at is not None:
            span, self.reset_at = now - self.reset_at, None
            if span < _LEAST_RESET_PS:
                self.die.refuse(
                    f"{self.name}_HPRT.PRST was set for {span / PS_PER_MS:.1f} ms", "10 ms at least (RM0090 34.7.1)"
                )
            if self.device is not None:
                self.device.bus_reset(now)
            self.die.timeline.at(f"{self.name}.enable", now + _ENABLE_PS)

    @property
    def frames(self) -> int:
        """SOFs since the port was enabled."""
        return 0 if self.enabled_at is None else (self.die.timeline.now - self.enabled_at) // PS_PER_MS

    def read_HFNUM(self) -> int:
        into = 0 if self.enabled_at is None else (self.die.timeline.now - self.enabled_at) % PS_PER_MS
        left = self.registers["HFIR"] - into * self.registers["HFIR"] // PS_PER_MS
        return left << 16 | self.frames & 0x3FFF

    @property
    def words(self) -> int:
        """Of FIFO memory."""
        return _WORDS[self.large]

    # every access

    def check_access(self, offset: int, size: int, *, write: bool) -> None:
        """Refuse what the core would not answer, or what is not modelled."""
        name = self.names.get(offset, f"offset {offset:#x}")
        if self.socket is None:
            self.die.refuse(
                f"access to {self.name}_{name}, and the board has no connector",
                f"the twin models it for boards with [usb]; or keep it silent (--silent {self.name})",
            )
        if offset in _DEVICE or name.startswith("DIEPTXF"):
            self.die.refuse(f"access to {self.name}_{name}", "the twin models the host half alone")
        if name in _NOT_MODELLED or offset in _OTHER_GLOBALS:
            self.die.refuse(f"access to {self.name}_{name}", "the twin does not model this register")
        if size != 4:
            self.die.refuse(f"{size}-byte access to {self.name}_{name}", "access whole words")
        if (offset in _HOST or offset in _FIFOS) and not self.host:
            self.die.refuse(f"access to {self.name}_{name} in device mode", "set FHMOD and wait for CMOD = 1 first")
        if write and not self.idle:
            self.die.refuse(f"{self.name}_{name} was written while AHBIDL is 0", "wait for it first")

    def before_stop(self) -> None:
        if self.enabled_at is not None:
            self.die.refuse(f"Stop was entered while the port of {self.name} is enabled", "switch it off first")
