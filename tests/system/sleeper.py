"""A device that runs sleeper.c: registers written by an application, Standby, resets, and what is then said."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from spboot import chips
from spboot.builder.demo import build_app
from spboot.image import Image
from spboot.version import Version
from tests.families import ALL
from tests.system.rig import Rig, Workshop

READY = b"sleeper ready\r\n"


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
        self.facts = ALL[shop.board.chip.family]
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
        if self.facts.power_clock:
            self.change("RCC", self.facts.power_clock, set_=1 << self.facts.power_bit)

    def forget_causes(self) -> None:
        """RMVF."""
        register = self.facts.standby["cause"]
        self.change("RCC", register, set_=self.mask("RCC", register, "RMVF"))

    def _act(self, step: dict[str, Any]) -> None:
        """Write a value to a register of PWR, or change a field or bits of it."""
        register = step["register"]
        if "value" in step:
            self.write("PWR", register, step["value"])
            return
        bits = self.mask("PWR", register, step["field"]) if "field" in step else step["set"]
        self.change("PWR", register, clear=step.get("clear", 0), set_=bits)

    def forget_standby(self) -> None:
        """CSBF."""
        self._act(self.facts.standby["forget"])

    def sleep(self, op: str = "z") -> None:
        """To Standby."""
        self.clock_power()
        self._act(self.facts.standby["sleep"])
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
