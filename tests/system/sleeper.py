"""A device that runs sleeper.c: registers written by an application, Standby, resets, and what is then said."""

from __future__ import annotations

import struct
from pathlib import Path

from spboot import chips
from spboot.builder.demo import build_app
from spboot.image import Image
from spboot.version import Version
from tests.system.rig import Rig, Workshop

READY = b"sleeper ready\r\n"
FAMILIES = (
    "NUCLEO-L073RZ", "NUCLEO-G0B1RE", "NUCLEO-L476RG", "DISCO-L4R9I", "DISCO-L562E", "NUCLEO-WL55JC", "NUCLEO-G474RE",
    "NUCLEO-F429ZI", "DISCO-F769I", "DISCO-H745I",
)  # fmt: skip
"""A board of each family that has two slots."""
PWREN = {"L073": "APB1ENR", "G0B1": "APBENR1", "L476": "APB1ENR1", "L4R9": "APB1ENR1", "L562": "APB1ENR1",
         "G474": "APB1ENR1", "F429": "APB1ENR", "F769": "APB1ENR"}  # fmt: skip
"""Part -> the register that clocks PWR; the others clock it always."""


def sleeper_app(shop: Workshop) -> bytes:
    def make() -> bytes:
        source = str(Path(__file__).with_name("sleeper.c").resolve())
        own = ["demo/start.c", source]
        elf = build_app(shop.board, own, shop.folder / "sleeper.elf", Version.parse("1.0.0"), shop.compiler)
        return Image.load(elf, shop.board, "1.0.0").data

    return shop._once(("sleeper",), make)


class Sleeper:
    """The device after its first start."""

    def __init__(self, shop: Workshop) -> None:
        self.rig = Rig(shop, app=sleeper_app(shop))
        self.twin, self.board = self.rig.twin, shop.board
        self.rig.power_on()
        self.first = self.rig.listen(READY)

    # what the application does

    def _ask(self, op: str, address: int = 0, value: int = 0) -> None:
        self.rig.uart.send(struct.pack("<cII", op.encode(), address, value))

    def address(self, block: str, register: str) -> int:
        facts = self.board.chip.block(block)
        return facts.address + chips.registers(facts.ip)[register].offset

    def mask(self, block: str, register: str, *fields: str) -> int:
        return sum(self.twin.blocks[block].mask(register, field) for field in fields)

    def write(self, block: str, register: str, value: int) -> None:
        """Write the whole register."""
        self._ask("w", self.address(block, register), value)
        self.rig.listen(b".")

    def change(self, block: str, register: str, clear: int = 0, set_: int = 0) -> None:
        """Read, modify, write."""
        self.write(block, register, self.twin.blocks[block].registers[register] & ~clear | set_)

    def clock_power(self) -> None:
        """PWR can be written from now on."""
        if name := PWREN.get(self.board.chip.name[5:9]):
            self.change("RCC", name, set_=1 << 28)

    def forget_causes(self) -> None:
        """RMVF."""
        register = "RSR" if self.board.chip.family == "STM32H7" else "CSR"
        self.change("RCC", register, set_=self.mask("RCC", register, "RMVF"))

    def forget_standby(self) -> None:
        """CSBF."""
        family = self.board.chip.family
        if family == "STM32H7":
            self.change("PWR", "CPUCR", set_=self.mask("PWR", "CPUCR", "CSSF"))
        elif family in ("STM32L0", "STM32F4", "STM32F7"):
            register = "CR" if family == "STM32L0" else "CR1"
            self.change("PWR", register, set_=self.mask("PWR", register, "CSBF"))
        elif family == "STM32WL":
            self.write("PWR", "EXTSCR", 1)
        else:
            self.write("PWR", "SCR", 1 << 8)

    def sleep(self, op: str = "z") -> None:
        """To Standby."""
        family = self.board.chip.family
        self.clock_power()
        if family == "STM32H7":
            self.change("PWR", "CPUCR", set_=7)
        elif family in ("STM32L0", "STM32F4", "STM32F7"):
            register = "CR" if family == "STM32L0" else "CR1"
            self.change("PWR", register, set_=self.mask("PWR", register, "PDDS"))
        else:
            self.change("PWR", "CR1", clear=7, set_=3)
        self.fall_asleep(op)

    def fall_asleep(self, op: str = "z") -> None:
        self._ask(op)
        assert self.twin.run(until=lambda: self.twin.in_standby, seconds=0.1)

    # what comes then

    def started(self) -> str:
        """What is said up to the application; nothing garbled, core and console at their rates."""
        lost = len(self.rig.uart.lost)
        text = self.rig.listen(b" MHz, reset by")
        assert self.twin.rcc.hclk == self.board.clock_hz
        text += self.rig.listen(READY)
        assert self.rig.uart.lost[lost:] == []
        assert not self.twin.faults
        return text.decode()

    def woken(self) -> str:
        self.twin.wake()
        return self.started()

    def after_pin(self) -> str:
        self.twin.reset()
        return self.started()

    def after_software(self) -> str:
        self._ask("x")
        return self.started()
