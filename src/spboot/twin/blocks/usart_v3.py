"""USART of STM32L4 and its time (RM0351 chapter 40), and the line that ends at it."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from collections import deque
from typing import Any, ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.line import Uart
from spboot.twin.timeline import PS_PER_S, Order

_RE, _TE, _IDLEIE, _RXNEIE, _TCIE, _TXEIE, _PS, _PCE, _M0, _OVER8, _M1 = (
    4, 8, 16, 32, 64, 128, 1 << 9, 1 << 10, 1 << 12, 1 << 15, 1 << 28,
)  # fmt: skip
_ORE, _IDLE, _RXNE, _TC, _TXE, _TEACK, _REACK, _BUSY = 8, 16, 32, 64, 128, 1 << 21, 1 << 22, 1 << 16
_CLEARABLE: Final = {0: 1, 1: 2, 2: 4, 3: 8, 4: 16, 6: 64, 8: 256, 9: 512, 11: 2048, 12: 4096, 17: 1 << 17, 20: 1 << 20}
_ANY_IE: Final = _IDLEIE | _RXNEIE | _TCIE | _TXEIE
_TOLERANCE: Final = 0.025

_PRESCALED: Final = (1, 2, 4, 6, 8, 10, 12, 16, 32, 64, 128, *[256] * 5)
"""What PRESC divides the kernel clock by (RM0444, USART_PRESC)."""


class UsartV3(Block, ips=("lpuart_v3", "lpuart_v4", "usart_v3", "usart_v4")):
    """The block.  Its kernel clock comes from RCC_CCIPR, its pins must be in their alternate function."""

    RESET: ClassVar[dict[str, int]] = {"ISR": _TXE | _TC}
    READ_ONLY = frozenset({"ISR", "RDR"})
    CONSUMING = frozenset({0x24})
    STATE: ClassVar[tuple[str, ...]] = ("_shifting", "_holding", "_received", "_line_free", "_line_up")
    STATUS: ClassVar[str] = "ISR"
    """The register with the flags,"""
    ENABLE: ClassVar[int] = 1
    """UE in CR1,"""
    OTHER_FRAME: ClassVar[int] = _M1 | _M0 | _PS | _PCE
    """and the bits in it that make other than 8N1."""

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self.uart = Uart(facts.name)
        self.uart.started = self._on_queued
        self._rx, self._tx, self._idle = f"{facts.name}.rx", f"{facts.name}.tx", f"{facts.name}.idle"
        die.timeline.on(self._rx, self._on_receive, Order.ARRIVAL)
        die.timeline.on(self._tx, self._on_sent, Order.DEPARTURE)
        die.timeline.on(self._idle, self._on_idle, Order.SILENCE)
        self._bus = 2 if facts.enable and facts.enable[0].startswith("APB2") else 1
        self._line_free = 0
        self._line_up = False

    def reset(self) -> None:
        super().reset()
        self._shifting: int | None = None
        self._holding: int | None = None
        self._received = 0
        self.die.timeline.cancel(self._tx)
        self.die.timeline.cancel(self._idle)

    # the line's clock

    def baud(self) -> float:
        """What the registers make of the kernel clock."""
        clock = self.die.rcc.kernel(f"{self.name}SEL", self._bus) // _PRESCALED[self.registers.get("PRESC", 0)]
        divider = self.registers["BRR"]
        if self.name.startswith("LPUART"):
            legal, rate = divider >= 0x300, 256 * clock / max(divider, 1)
        elif self.registers["CR1"] & _OVER8:
            real = divider & 0xFFF0 | (divider & 7) << 1
            legal, rate = real >= 16, 2 * clock / max(real, 1)
        else:
            legal, rate = divider >= 16, clock / max(divider, 1)
        if not clock or not legal:
            self.die.refuse(
                f"{self.name} used with BRR {divider:#x} and kernel clock {clock} Hz",
                "set BRR and start the clock first",
            )
        return rate

    @property
    def _frame(self) -> tuple[int, str]:
        """Bits of a word, its parity among them, and the parity: N, E or O (RM0351 40.8.1, 40.5.9)."""
        cr1 = self.registers["CR1"]
        return 7 if cr1 & _M1 else 9 if cr1 & _M0 else 8, "N" if not cr1 & _PCE else "O" if cr1 & _PS else "E"

    @property
    def _data_bits(self) -> int:
        length, parity = self._frame
        return length - (parity != "N")

    def _fits(self, rate: float) -> bool:
        """A stop bit more or less does no harm."""
        frame_ok = f"{self._data_bits}{self._frame[1]}" == self.uart.frame[:2]
        return frame_ok and abs(rate / self.uart.baud - 1) <= _TOLERANCE

    def _garble(self, byte: int, rate: float, way: str) -> int:
        sent, line = f"{self._data_bits}{self._frame[1]}", self.uart.frame[:2]
        frame, theirs = (f" {sent}", f" {line}") if sent != line else ("", "")
        self.uart.lost.append(
            f"{way} byte {byte:#04x} garbled: {rate:.0f} baud{frame}, the line has {self.uart.baud}{theirs}"
        )
        return byte * 0x9D + 0x55 & 0xFF ^ 0xFF

    def _with_parity(self, byte: int) -> int:
        """As it is read: the bits of *byte*, and above them the received parity (RM0351 40.8.10)."""
        bits, parity = self._data_bits, self._frame[1]
        byte &= (1 << bits) - 1
        return byte | (byte.bit_count() + (parity == "O") & 1) << bits if parity != "N" else byte

    def _connected(self, signal: str) -> bool:
        pins = self.die.pins
        return any(
            pins.alternate(pin) == number and pins.supplied(pin)
            for pin, role, number in self.facts.pins
            if role == signal
        )

    def _pins_of(self, signal: str) -> str:
        return ", ".join(f"{pin} (AF{number})" for pin, role, number in self.facts.pins if role == signal)

    # receiving

    @property
    def _frame_ps(self) -> int:
        frame = self.uart.frame
        return (1 + int(frame[0]) + (frame[1] != "N") + int(frame[2])) * PS_PER_S // self.uart.baud

    def _on_queued(self) -> None:
        """A start bit: now, or as soon as the line is free."""
        begins = max(self._line_free, self.die.timeline.now)
        if begins < self._line_free + self._frame_ps:
            self.die.timeline.cancel(self._idle)
        self._receive_from(begins)

    def _receive_from(self, begins: int) -> None:
        self._line_free = begins + self._frame_ps
        self.die.timeline.at(self._rx, self._line_free)

    def _on_receive(self, when: int) -> None:
        byte = self.uart.queue.popleft()
        self._line_free = when
        if self.uart.queue:
            self._receive_from(when)
        reason = self._deaf()
        if reason:
            self.uart.lost.append(f"received byte {byte:#04x} lost: {reason}")
            return
        rate = self.baud()
        byte = self._with_parity(byte) if self._fits(rate) else self._garble(byte, rate, "received")
        if not self.uart.queue:  # an idle frame has no start bit: RM0351 40.5.1
            self.die.timeline.at(self._idle, when + self._frame_ps)
        if self.registers[self.STATUS] & _RXNE:
            if not self.registers["CR3"] & 1 << 12:
                self.registers[self.STATUS] |= _ORE
                self.uart.overruns += 1
                self.uart.lost.append(f"received byte {byte:#04x} lost: overrun")
            else:
                self._received = byte
        else:
            self._received = byte
            self.registers[self.STATUS] |= _RXNE
        self._update_line()

    def stood_still(self, span: int) -> None:
        if self._shifting is not None:
            self.uart.lost.append(f"sent byte {self._shifting:#04x} garbled: Stop was entered before TC")
            self._shifting ^= 0xFF

    def _deaf(self) -> str:
        if self.die.in_stop:
            return "the chip is in Stop"
        if self.registers["CR1"] & (self.ENABLE | _RE) != self.ENABLE | _RE:
            return f"{self.name} is not enabled"
        if self.gate and not self.die.rcc.registers[self.gate[0]] & self.gate[1]:
            return f"the clock of {self.name} is off"
        if not self._connected("RX"):
            return f"no RX pin; it may be {self._pins_of('RX')}"
        return ""

    def _on_idle(self, _when: int) -> None:
        if self.registers["CR1"] & self.ENABLE:
            self.registers[self.STATUS] |= _IDLE
            self._update_line()

    # sending

    def write_TDR(self, value: int) -> None:
        self.send(value)

    def send(self, value: int) -> None:
        """The firmware gives a byte to the transmitter."""
        if self.registers["CR1"] & (self.ENABLE | _TE) != self.ENABLE | _TE:
            self.die.refuse(f"{self.name} was given a byte while UE or TE is clear", "enable the transmitter first")
        if not self.registers[self.STATUS] & _TXE:
            self.die.refuse(f"{self.name} was given a byte while TXE is 0: a byte is lost", "wait for TXE")
        self.registers[self.STATUS] &= ~_TC
        if self._shifting is None:
            self._shift(value & 0xFF, self.die.timeline.now)
        else:
            self._holding = value & 0xFF
            self.registers[self.STATUS] &= ~_TXE
        self._update_line()

    def _shift(self, byte: int, now: int) -> None:
        if not self._connected("TX"):
            self.die.refuse(
                f"{self.name} sends a byte, but no TX pin is connected to it",
                f"put one in its alternate function: {self._pins_of('TX')}",
            )
        rate = self.baud()
        fits, stop_bits = self._fits(rate), 2 if self.registers["CR2"] >> 12 & 3 == 2 else 1
        self._shifting = byte & (1 << self._data_bits) - 1 if fits else self._garble(byte, rate, "sent")
        self.die.timeline.at(self._tx, now + round((1 + self._frame[0] + stop_bits) * PS_PER_S / rate))

    def _on_sent(self, when: int) -> None:
        byte, self._shifting = self._shifting, None
        if byte is not None:
            self.uart.output.append(byte)
            for callback in self.uart.on_byte:
                callback(byte)
        if self._holding is not None:
            self._shift(self._holding, when)
            self._holding = None
            self.registers[self.STATUS] |= _TXE
        else:
            self.registers[self.STATUS] |= _TC
        self._update_line()

    # registers

    def read_ISR(self) -> int:
        cr1 = self.registers["CR1"]
        acknowledged = ((cr1 & _TE) << 18 | (cr1 & _RE) << 20) if cr1 & self.ENABLE else 0
        return self.registers[self.STATUS] | acknowledged

    def read_RDR(self) -> int:
        return self.take_received()

    def take_received(self) -> int:
        """The firmware takes the byte that came."""
        self.registers[self.STATUS] &= ~_RXNE
        self._update_line()
        return self._received

    def write_ICR(self, value: int) -> None:
        for bit, flag in _CLEARABLE.items():
            if value >> bit & 1:
                self.registers[self.STATUS] &= ~flag
        self._update_line()

    def write_RQR(self, value: int) -> None:
        if value & 8:
            self.registers[self.STATUS] &= ~_RXNE
        if value & 16:
            self._holding = None
            self.registers[self.STATUS] |= _TXE
        self._update_line()

    def write_CR1(self, value: int) -> None:
        old = self.registers["CR1"]
        fixed = self.OTHER_FRAME | _OVER8
        if "FIFOEN" in self.fields["CR1"] and value & self.mask("CR1", "FIFOEN"):
            self.die.refuse(f"{self.name}_CR1.FIFOEN was set", "the twin models it without FIFO")
        if old & self.ENABLE and value & self.ENABLE and (old ^ value) & fixed:
            self.die.refuse(f"{self.name}_CR1: frame format changed while UE is set", "clear UE first (40.8.1)")
        self.registers["CR1"] = value & self.masks["CR1"]
        if old & self.ENABLE and not value & self.ENABLE:
            if self._shifting is not None:
                self.uart.lost.append(f"sent byte {self._shifting:#04x} cut off: UE cleared before TC")
            self._shifting = self._holding = None
            self.die.timeline.cancel(self._tx)
            self.registers[self.STATUS] = _TXE | _TC
        elif value & self.ENABLE and not old & self.ENABLE:
            self.baud()
        self._update_line()

    def write_BRR(self, value: int) -> None:
        if self.registers["CR1"] & self.ENABLE:
            self.die.refuse(f"{self.name}_BRR written while UE is set", "clear UE first (RM0351 40.8.4)")
        self.registers["BRR"] = value & (0xFFFFF if self.name.startswith("LPUART") else 0xFFFF)

    def write_PRESC(self, value: int) -> None:
        if self.registers["CR1"] & self.ENABLE and value != self.registers["PRESC"]:
            self.die.refuse(f"{self.name}_PRESC changed while UE is set", "clear UE first (RM0444, USART_PRESC)")
        self.registers["PRESC"] = value & self.masks["PRESC"]

    def write_CR3(self, value: int) -> None:
        if value & 0xC0:
            self.die.refuse(f"{self.name}_CR3 = {value:#x} asks for DMA", "the twin does not model DMA")
        self.registers["CR3"] = value & self.masks["CR3"]
        self._update_line()

    def _update_line(self) -> None:
        isr, cr1 = self.registers[self.STATUS], self.registers["CR1"]
        if not (cr1 & _ANY_IE or self.registers["CR3"] & 1 or self._line_up):
            return
        wanted = (
            (cr1 & _RXNEIE and isr & (_RXNE | _ORE))
            or (cr1 & _TXEIE and isr & _TXE)
            or (cr1 & _TCIE and isr & _TC)
            or (cr1 & _IDLEIE and isr & _IDLE)
            or (self.registers["CR3"] & 1 and isr & _ORE)
        )
        self._line_up = bool(cr1 & self.ENABLE and wanted)
        self.line(self.name, self._line_up)

    def save(self) -> Any:
        uart = self.uart
        return super().save(), (
            *(uart.baud, uart.frame, bytes(uart.output), list(uart.lost), uart.overruns, list(uart.queue)),
        )

    def load(self, state: Any) -> None:
        block, (baud, frame, output, lost, overruns, queue) = state
        super().load(block)
        self.uart.baud, self.uart.frame, self.uart.overruns = baud, frame, overruns
        self.uart.output[:] = output
        self.uart.lost[:] = lost
        self.uart.queue = deque(queue)
