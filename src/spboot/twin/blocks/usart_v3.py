"""USART of STM32L4 and its time (RM0351 chapter 40), and the line that ends at it; with a FIFO: usart_v4.py."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from collections import deque
from typing import Any, ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.blocks.usart_stop import BY_BYTE, BY_START_BIT, WUF, UsartStop
from spboot.twin.die import Die
from spboot.twin.line import Uart
from spboot.twin.timeline import PS_PER_S, Order

_RE, _TE, _IDLEIE, _RXNEIE, _TCIE, _TXEIE, _PS, _PCE, _M0, _OVER8, _M1 = (
    4, 8, 16, 32, 64, 128, 1 << 9, 1 << 10, 1 << 12, 1 << 15, 1 << 28,
)  # fmt: skip
_ORE, _IDLE, _RXNE, _TC, _TXE, _TEACK, _REACK, _BUSY = 8, 16, 32, 64, 128, 1 << 21, 1 << 22, 1 << 16
_CLEARABLE: Final = {0: 1, 1: 2, 2: 4, 3: 8, 4: 16, 6: 64, 8: 256, 9: 512, 11: 2048, 12: 4096, 17: 1 << 17, 20: 1 << 20}
_EIE, _DMAR, _DMAT, _WUFIE = 1, 1 << 6, 1 << 7, 1 << 22
_TOLERANCE: Final = 0.025

_PRESCALED: Final = (1, 2, 4, 6, 8, 10, 12, 16, 32, 64, 128, *[256] * 5)
"""What PRESC divides the kernel clock by (RM0444, USART_PRESC)."""


class UsartV3(UsartStop, ips=("lpuart_v3", "usart_v3")):
    """The block.  Its kernel clock comes from RCC_CCIPR, its pins must be in their alternate function."""

    RESET: ClassVar[dict[str, int]] = {"ISR": _TXE | _TC}
    READ_ONLY = frozenset({"ISR", "RDR"})
    CONSUMING = frozenset({0x24})
    STATE: ClassVar[tuple[str, ...]] = (
        "_shifting",
        "_tx",
        "_rx",
        "_room",
        "_places",
        "_received",
        "_line_free",
        "_line_up",
    )
    OTHER_FRAME: ClassVar[int] = _M1 | _M0 | _PS | _PCE
    """The bits in CR1 that make other than 8N1."""
    ERRORS: ClassVar[int] = _EIE
    """The bits in CR3 that all have to be set for an interrupt by an error."""

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self.uart = Uart(facts.name)
        self.uart.started = self._on_queued
        self._in, self._out, self._idle = f"{facts.name}.rx", f"{facts.name}.tx", f"{facts.name}.idle"
        self._start = f"{facts.name}.start"
        die.timeline.on(self._in, self._on_receive, Order.ARRIVAL)
        die.timeline.on(self._out, self._on_sent, Order.DEPARTURE)
        die.timeline.on(self._idle, self._on_idle, Order.SILENCE)
        die.timeline.on(self._start, lambda _when: self.wake(BY_START_BIT), Order.ARRIVAL)
        self._bus = 2 if facts.enable and facts.enable[0].startswith("APB2") else 1
        self._line_free = 0
        self._line_up = False

    def reset(self) -> None:
        super().reset()
        self._shifting: int | None = None
        self._tx: list[int] = []
        """What waits to be sent,"""
        self._rx: list[int] = []
        """and what came and was not taken yet,"""
        self._places = self._room = 1
        """and how much of both it holds."""
        self._received = 0
        """What RDR reads when nothing is there."""
        self.die.timeline.cancel(self._out)
        self.die.timeline.cancel(self._idle)

    # the line's clock

    def baud(self) -> float:
        """What the registers make of the kernel clock."""
        clock = self._kernel_hz() // _PRESCALED[self.registers.get("PRESC", 0)]
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

    def _kernel_hz(self) -> int:
        """In Stop it starts the oscillator that it needs by itself."""
        if self.registers["CR1"] & self.stays_on and self.die.in_stop and self.runs_in_stop():
            return self.die.rcc.oscillator_hz(self.oscillator())
        return self.die.rcc.kernel(f"{self.name}SEL", self._bus)

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
        self.die.timeline.at(self._in, self._line_free)
        if self.registers["CR1"] & self.stays_on and self.wakes_by() == BY_START_BIT:
            self.die.timeline.at(self._start, begins)

    def _on_receive(self, when: int) -> None:
        byte = self.uart.queue.popleft()
        self._line_free = when
        if self.uart.queue:
            self._receive_from(when)
        reason = self.deaf()
        if reason:
            self.uart.lost.append(f"received byte {byte:#04x} lost: {reason}")
            return
        rate = self.baud()
        byte = self._with_parity(byte) if self._fits(rate) else self._garble(byte, rate, "received")
        if not self.uart.queue:  # an idle frame has no start bit: RM0351 40.5.1
            self.die.timeline.at(self._idle, when + self._frame_ps)
        if len(self._rx) < self._room:
            self._rx.append(byte)
        elif self.registers["CR3"] & 1 << 12:
            self._rx[-1] = byte
        else:
            self.registers[self.STATUS] |= _ORE
            self.uart.overruns += 1
            self.uart.lost.append(f"received byte {byte:#04x} lost: overrun")
        if self.registers["CR1"] & self.stays_on:
            self.wake(BY_BYTE)
        self.update()

    def update(self) -> None:
        """What it holds changed: flags, DMA and the interrupt."""
        held = (_RXNE if self._rx else 0) | (_TXE if len(self._tx) < self._places else 0)
        self.registers[self.STATUS] = self.registers[self.STATUS] & ~(_RXNE | _TXE) | held
        if self.registers["CR3"] & (_DMAR | _DMAT):
            self.ask()
        self.update_line()

    def wants(self, signal: str) -> int:
        """CR3.DMAR and DMAT (RM0351 40.5, continuous communication using DMA)."""
        cr1, cr3 = self.registers["CR1"], self.registers["CR3"]
        if not cr1 & self.ENABLE:
            return 0
        if signal == "RX":
            return len(self._rx) if cr3 & _DMAR else 0
        free = self._places - len(self._tx)
        return free + (self._shifting is None) if cr3 & _DMAT and cr1 & _TE and free else 0

    # Stop

    def stood_still(self, span: int) -> None:
        if self._shifting is not None:
            self.uart.lost.append(f"sent byte {self._shifting:#04x} garbled: Stop was entered before TC")
            self._shifting ^= 0xFF

    def deaf(self) -> str:
        if self.die.in_stop and not self.runs_in_stop():
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
            self.update_line()

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
            self._tx.append(value & 0xFF)
        self.update()

    def _shift(self, byte: int, now: int) -> None:
        if not self._connected("TX"):
            self.die.refuse(
                f"{self.name} sends a byte, but no TX pin is connected to it",
                f"put one in its alternate function: {self._pins_of('TX')}",
            )
        rate = self.baud()
        fits, stop_bits = self._fits(rate), 2 if self.registers["CR2"] >> 12 & 3 == 2 else 1
        self._shifting = byte & (1 << self._data_bits) - 1 if fits else self._garble(byte, rate, "sent")
        self.die.timeline.at(self._out, now + round((1 + self._frame[0] + stop_bits) * PS_PER_S / rate))

    def _on_sent(self, when: int) -> None:
        byte, self._shifting = self._shifting, None
        if byte is not None:
            self.uart.output.append(byte)
            for callback in self.uart.on_byte:
                callback(byte)
        if self._tx:
            self._shift(self._tx.pop(0), when)
        else:
            self.registers[self.STATUS] |= _TC
        self.update()

    # registers

    def read_ISR(self) -> int:
        cr1 = self.registers["CR1"]
        acknowledged = ((cr1 & _TE) << 18 | (cr1 & _RE) << 20) if cr1 & self.ENABLE else 0
        receiving = _BUSY if self.uart.queue and acknowledged & _REACK else 0
        return self.registers[self.STATUS] | acknowledged | receiving

    def read_RDR(self) -> int:
        return self.take_received()

    def take_received(self) -> int:
        """The firmware, or DMA, takes the byte that came first."""
        if self._rx:
            self._received = self._rx.pop(0)
        self.update()
        return self._received

    def write_ICR(self, value: int) -> None:
        for bit, flag in _CLEARABLE.items():
            if value >> bit & 1:
                self.registers[self.STATUS] &= ~flag
        self.update_line()

    def write_RQR(self, value: int) -> None:
        if value & 8:
            self.drop_received()
        if value & 16:
            self._tx.clear()
        self.update()

    def drop_received(self) -> None:
        """What came is not wanted; the last of it can still be read."""
        if self._rx:
            self._received = self._rx[-1]
        self._rx.clear()

    def write_CR1(self, value: int) -> None:
        old = self.registers["CR1"]
        fixed = self.OTHER_FRAME | _OVER8
        if old & self.ENABLE and value & self.ENABLE and (old ^ value) & fixed:
            self.die.refuse(f"{self.name}_CR1: frame format changed while UE is set", "clear UE first (40.8.1)")
        self.registers["CR1"] = value & self.masks["CR1"]
        if old & self.ENABLE and not value & self.ENABLE:
            if self._shifting is not None:
                self.uart.lost.append(f"sent byte {self._shifting:#04x} cut off: UE cleared before TC")
            self._shifting = None
            self._tx.clear()
            self.drop_received()
            self.die.timeline.cancel(self._out)
            self.registers[self.STATUS] = self.RESET[self.STATUS]
        elif value & self.ENABLE and not old & self.ENABLE:
            self.baud()
        self.update()

    def write_BRR(self, value: int) -> None:
        if self.registers["CR1"] & self.ENABLE:
            self.die.refuse(f"{self.name}_BRR written while UE is set", "clear UE first (RM0351 40.8.4)")
        self.registers["BRR"] = value & (0xFFFFF if self.name.startswith("LPUART") else 0xFFFF)

    def write_CR3(self, value: int) -> None:
        if self.stays_on and self.registers["CR1"] & self.ENABLE:
            chooses = self.mask("CR3", "WUS")
            if (value ^ self.registers["CR3"]) & chooses:
                self.die.forbid(f"{self.name}_CR3.WUS changed while UE is set", "clear UE first (RM0351 40.8.3)")
        self.registers["CR3"] = value & self.masks["CR3"]
        self.update()

    def update_line(self) -> None:
        wanted = self.registers["CR1"] & self.ENABLE and self.interrupts()
        if wanted or self._line_up:
            self._line_up = bool(wanted)
            self.line(self.name, self._line_up)

    def interrupts(self) -> int:
        """Not 0 when an enabled flag is set."""
        isr, cr1, cr3 = self.registers[self.STATUS], self.registers["CR1"], self.registers["CR3"]
        return (
            (cr1 & _RXNEIE and isr & (_RXNE | _ORE))
            or (cr1 & _TXEIE and isr & _TXE)
            or (cr1 & _TCIE and isr & _TC)
            or (cr1 & _IDLEIE and isr & _IDLE)
            or (cr3 & self.ERRORS == self.ERRORS and isr & _ORE)
            or (cr3 & _WUFIE and isr & WUF)
        )

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
