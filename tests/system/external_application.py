"""The controller of external flash as applications set it up, by stores of their own, on a bench.

Their way of reading is that of the vendor's examples: 1-4-4, QPI, eight lines with one or two bits a clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from spboot.chips.nor_flash import Command
from tests.system import external_states
from tests.system.external_rig import LEAVE, Bench

MPU_CTRL: Final = 0xE000ED94
_LINES: Final = {"0": 0, "1": 1, "2": 2, "4": 3, "8": 4, "8d": 4}
_QUADSPI_KEPT: Final = ("CR", "DCR", "CCR", "ABR", "LPTR")
_OCTOSPI_KEPT: Final = ("CR", "DCR1", "DCR2", "DCR3", "DCR4", "CCR", "TCR", "IR", "ABR", "LPTR", "WCCR", "WTCR", "WIR")


def kept(bench: Bench) -> dict[str, int]:
    """What a call has to leave of the controller, and the MPU."""
    block = bench.twin.blocks[bench.fitted.controller]
    names = _QUADSPI_KEPT if bench.fitted.controller == "QUADSPI" else _OCTOSPI_KEPT
    mpu = bench.twin.nvic.mpu
    regions = {f"region {n}": rest << 32 | address for n, (address, rest) in enumerate(mpu.regions)}
    return {**{name: block.registers[name] for name in names}, **regions, "MPU": mpu.control, "RNR": mpu.number}


class Application:
    """What a running application has done."""

    def __init__(self, bench: Bench) -> None:
        """Pins and clocks as the bootloader has them; the controller is reset, the MPU off."""
        self.bench = bench
        assert bench.start() == ""
        self._chip = bench.board.chip
        self._base = self._chip.block(bench.fitted.controller).address
        self._registers = bench.twin.blocks[bench.fitted.controller].offset_of
        bench.twin.strict = "none"  # examples neither forbid reading ahead nor put the timing right
        bench.call(LEAVE)
        self._clock_on(bench.fitted.controller)
        if bench.fitted.port == 2:
            self._clock_on("OCTOSPIM")
            bench.poke(0x50061C04, 0)
            bench.poke(0x50061C08, 0x03010111)

    def _clock_on(self, block: str) -> None:
        register, bits = self._rcc("enable", block)
        rcc = self.bench.twin.rcc
        (name,) = [n for n in rcc.registers if self._chip.block("RCC").address + rcc.offset_of(n) == register]
        self.bench.poke(register, rcc.registers[name] | bits)

    def _rcc(self, kind: str, block: str) -> tuple[int, int]:
        where = getattr(self._chip.block(block), kind)
        rcc = self.bench.twin.rcc
        low, width = rcc.fields[where[0]][where[1]]
        return self._chip.block("RCC").address + rcc.offset_of(where[0]), ((1 << width) - 1) << low

    def clock_off(self) -> None:
        register, bits = self._rcc("enable", self.bench.fitted.controller)
        block = self.bench.twin.rcc
        (name,) = [n for n in block.registers if self._chip.block("RCC").address + block.offset_of(n) == register]
        self.bench.poke(register, block.registers[name] & ~bits)

    def set(self, name: str, value: int) -> None:
        """A register of the controller."""
        self.bench.poke(self._base + self._registers(name), value)

    def done(self) -> None:
        """From here on the rules of a bootloader hold."""
        self.bench.twin.strict = "all"

    def load(self, off: int, size: int) -> bytes:
        """By its window."""
        strict, self.bench.twin.strict = self.bench.twin.strict, "none"
        found = self.bench.load(off, size)
        self.bench.twin.strict = strict
        return found

    # QUADSPI

    def read_by(self, shape: str, *, once: bool = False) -> None:
        """Map the flash by the read command of that shape."""
        bench, chip = self.bench, self.bench.chips[0]
        command = max(
            (c for c in chip.facts.commands if c.does == "read" and c.shape == shape and c.dummy),
            key=lambda c: (c.mode, c.address if isinstance(c.address, int) else 0),
        )
        width = chip.address_bytes if command.address == "mode" else int(command.address)
        if bench.fitted.controller == "QUADSPI":
            self._map_quadspi(command, width, once=once)
        else:
            self._map_octospi(command, width)

    def _dummy(self, command: Command) -> int:
        chip = self.bench.chips[0]
        return chip._chosen(command.dummy)[0]

    def _map_quadspi(self, command: Command, width: int, *, once: bool) -> None:
        i, a, d = (_LINES[part] for part in command.shape.split("-"))
        toggles = command.mode and self.bench.chips[0].facts.continuous == "toggle"
        between = (3 << 14, self._dummy(command) - 2) if toggles else (0, self._dummy(command))
        self.set("DCR", self.bench.fitted.fsize << 16 | 2 << 8)
        self.set("LPTR", 0x1000)
        self.set("ABR", 0xA5 if once else 0)
        double = 0x40 if self.bench.fitted.count > 1 else 0
        self.set("CR", 5 << 24 | 1 << 20 | 1 << 16 | 3 << 8 | double | 1 << 4 | 1 << 3 | 1)
        ccr = command.op | i << 8 | a << 10 | (width - 1) << 12 | between[0] | between[1] << 18 | d << 24 | 3 << 26
        self.set("CCR", ccr | once << 28)

    def _map_octospi(self, command: Command, width: int) -> None:
        i, a, d = (_LINES[part] for part in command.shape.split("-"))
        double = "d" in command.shape
        self.set("DCR1", 1 << 24 | self.bench.fitted.fsize << 16 | 2 << 8 | 1 << 3)
        self.set("DCR2", 5)
        self.set("LPTR", 0x1000)
        self.set("CR", 1 << 20 | 1 << 16 | 3 << 8 | 1)
        self.set("TCR", self._dummy(command) | (1 << 28 if double else 1 << 30))
        ccr = i | a << 8 | (width - 1) << 12 | d << 24 | (1 << 4 if command.op > 0xFF else 0)
        self.set("CCR", ccr | (1 << 3 | 1 << 11 | 1 << 27 | 1 << 29 if double else 0))
        self.set("IR", command.op)
        if double:
            self._strobe()
        self.set("CR", 3 << 28 | 1 << 20 | 1 << 16 | 3 << 8 | 1)

    def _strobe(self) -> None:
        """The pin of DQS."""
        pin, function = self.bench.fitted.external().pins["DQS"]
        port, place = self._chip.block(f"GPIO{pin[1]}"), int(pin[2:])
        values = self.bench.twin.blocks[port.name].registers
        half = "AFR0" if place < 8 else "AFR1"
        self.bench.poke(port.address + 0x20 + place // 8 * 4, values[half] | function << place % 8 * 4)
        self.bench.poke(port.address, values["MODER"] & ~(3 << 2 * place) | 2 << 2 * place)


def _quad_enabled(bench: Bench) -> None:
    for chip in bench.chips:
        if chip.facts.quad is not None:
            chip.registers[chip.facts.quad[0]] |= 1 << chip.facts.quad[1]


READERS: Final[dict[str, tuple[str, Callable[[Bench], None], tuple[str, ...]]]] = {
    "1-1-1": ("1-1-1", lambda _bench: None, ("F469", "F769", "H745", "L496", "L4R9", "L4S5", "L562")),
    "1-4-4": ("1-4-4", _quad_enabled, ("F469", "F769", "H745", "L496", "L476")),
    "QPI": ("4-4-4", external_states.quad, ("F469", "F769", "H745", "L476")),
    "eight lines": ("8-8-8", external_states.octal, ("L4R9", "L562")),
    "two bits a clock": ("8d-8d-8d", external_states.double, ("L4R9", "L562")),
}
"""How an application reads -> the shape, what it does to the chips before, and boards."""
