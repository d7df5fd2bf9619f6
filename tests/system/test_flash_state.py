"""The flash controller as an application may leave it when it calls for an update: flags of errors that it never
cleared, CR unlocked and full of what it did before, an operation half done.  Registers are written as over the bus.

`make test` does all of it at once, `make soak` each flag and CR alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from spboot.link import ymodem
from spboot.twin.host.port import TwinPort
from tests.families import ALL, BOARDS
from tests.system.feeder import SENTENCES
from tests.system.rig import Rig, Workshop
from tests.system.test_boards import greeting, workshops

__all__ = ["workshops"]

LOCKS = ("LOCK", "OPTLOCK", "NSLOCK", "PELOCK", "PRGLOCK")
COMMANDS = ("STRT", "START", "NSSTRT", "OPTSTRT", "OBL_LAUNCH", "FW", "CRC_EN")
STATE = ("BSY", "BSY2", "CFGBSY", "NSBSY", "PESD", "QW", "WBNE", "CRC_BUSY", "ENDHV", "READY", "OPTNV", "PEMPTY",
         "WDW", "OEM1LOCK", "OEM2LOCK", "PD1", "PD2", "DBNE")  # fmt: skip
KEYS = (0x45670123, 0xCDEF89AB)
HALF_WRITTEN = [facts.board for facts in ALL.values() if facts.part_waits]


class Controller:
    """The registers of one board's flash, by the names it has for them."""

    def __init__(self, rig: Rig) -> None:
        self.block = rig.twin.blocks["FLASH"]
        self.h7 = "BANK0_CR" in self.block.registers
        self.banks = ("BANK0_", "BANK1_") if self.h7 else ("",)
        names = self.block.registers
        self.status = "NSSR" if "NSSR" in names else "SR"
        self.control = next(name for name in ("NSCR", "PECR", "CR") if name in names or self.h7)
        self.control = "CR" if self.h7 else self.control

    def write(self, register: str, value: int) -> None:
        offset = next(offset for offset, name in self.block.names.items() if name == register)
        self.block.write(offset, 4, value)

    def flags(self) -> dict[str, int]:
        """Names and masks of all that an application can leave in SR."""
        register = self.banks[0] + self.status
        return {n: self.block.mask(register, n) for n in self.block.fields[register] if n not in STATE}

    def set_flags(self, mask: int) -> None:
        for bank in self.banks:
            self.block.registers[bank + self.status] |= mask

    def bit(self, name: str, bank: str = "") -> int:
        """The mask of a bit of CR."""
        register = bank + self.control
        return self.block.mask(register, name if name in self.block.fields[register] else f"NS{name}")

    def unlock(self) -> None:
        """Where it is locked."""
        if self.control == "PECR" and self.block.registers["PECR"] & 1:
            for key in (0x89ABCDEF, 0x02030405):
                self.write("PEKEYR", key)
            for key in (0x8C9DAEBF, 0x13141516):
                self.write("PRGKEYR", key)
        if self.control == "PECR":
            return
        for bank in self.banks:
            locked = self.block.registers[bank + self.control] & self.bit("LOCK", bank)
            for key in KEYS if locked else ():
                self.write("NSKEYR" if self.control == "NSCR" else bank + "KEYR", key)

    def spoil(self) -> None:
        """All bits of CR that start nothing and lock nothing."""
        self.unlock()
        for bank in self.banks:
            register = bank + self.control
            spare = [n for n in self.block.fields[register] if n not in LOCKS + COMMANDS]
            value = 0
            for name in spare:
                value |= self.block.mask(register, name)
            kept = self.block.registers[register] & sum(
                self.block.mask(register, name) for name in LOCKS if name in self.block.fields[register]
            )
            self.write(register, kept | value)


class Meddler:
    """The port to the device: before anything is sent, another task of the application has its way."""

    def __init__(self, port: Any, meddle: Callable[[], None]) -> None:
        self._port, self._meddle = port, meddle

    def write(self, data: bytes) -> None:
        self._meddle()
        self._port.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


def running(shop: Workshop) -> tuple[Rig, Controller]:
    rig = Rig(shop)
    rig.boot()
    return rig, Controller(rig)


def takes_a_patch(rig: Rig, shop: Workshop, meddle: Callable[[], None] = lambda: None) -> None:
    """By the API, from the state that *rig* is in; between any two blocks *meddle* is called."""
    rig.ask_application()
    rig.port = Meddler(rig.port, meddle)  # type: ignore[assignment]
    rig.send(shop.patch("1.0.0", "1.1.0"))
    assert greeting(rig.board, "1.1.0") in rig.listen(seconds=60)
    assert not rig.twin.faults


@pytest.mark.parametrize("name", BOARDS)
def test_all_flags_set_and_cr_unlocked_and_dirty(workshops, name: str) -> None:  # type: ignore[no-untyped-def]
    shop = workshops(name)
    rig, controller = running(shop)

    def meddle() -> None:
        controller.set_flags(sum(controller.flags().values()))
        controller.spoil()

    takes_a_patch(rig, shop, meddle)


@pytest.mark.soak
@pytest.mark.parametrize("name", BOARDS)
def test_each_flag_left_set(workshops, name: str) -> None:  # type: ignore[no-untyped-def]
    shop = workshops(name)
    rig, controller = running(shop)
    ready = rig.twin.snapshot()
    for flag, mask in controller.flags().items():
        rig.twin.restore(ready)
        rig.port = TwinPort(rig.twin, rig.board.console.port)
        print(name, flag)
        takes_a_patch(rig, shop, lambda mask=mask: controller.set_flags(mask))  # type: ignore[misc]


@pytest.mark.soak
@pytest.mark.parametrize("name", BOARDS)
def test_cr_left_unlocked_and_dirty(workshops, name: str) -> None:  # type: ignore[no-untyped-def]
    shop = workshops(name)
    rig, controller = running(shop)
    takes_a_patch(rig, shop, controller.spoil)


@pytest.mark.parametrize("name", HALF_WRITTEN)
def test_part_of_a_unit_is_an_error_and_no_hang(workshops, name: str) -> None:  # type: ignore[no-untyped-def]
    """CFGBSY, or WDW, stands until the rest comes: of a task that was interrupted between the stores."""
    rig, controller = running(workshops(name))
    unit = rig.board.chip.flash[0].program_unit
    controller.unlock()
    controller.write(controller.control, controller.bit("PG"))
    controller.block.store(rig.board.slot1.end - unit, 4, 0)
    rig.ask_application()
    start = len(rig.uart.output)
    with pytest.raises(ymodem.LinkError):
        rig.send(workshops(name).patch("1.0.0", "1.1.0"))
    assert rig.twin.run(until=lambda: b"update: not done" in rig.uart.output[start:], seconds=30)
    assert SENTENCES["SECTION_ERASE_FAILURE"].encode() in rig.uart.output[start:]
    assert not rig.twin.faults
    if controller.block.registers[controller.control] & controller.bit("LOCK"):
        controller.unlock()
        controller.write(controller.control, controller.bit("PG"))
    for left in range(unit - 4, 0, -4):
        controller.block.store(rig.board.slot1.end - left, 4, 0)
    rig.twin.run(seconds=0.5)
    takes_a_patch(rig, workshops(name))


def test_part_of_a_word_is_dropped_on_h7(workshops) -> None:  # type: ignore[no-untyped-def]
    """WBNE stands until PG goes."""
    shop = workshops("DISCO-H745I")
    rig, controller = running(shop)

    def begin_a_word() -> None:
        controller.unlock()
        controller.write("BANK1_CR", 0x32)
        controller.block.store(rig.board.slot1.end - 32, 4, 0)

    takes_a_patch(rig, shop, begin_a_word)


def test_wl_goes_on_where_an_application_suspended_operations(workshops) -> None:  # type: ignore[no-untyped-def]
    shop = workshops("NUCLEO-WL55JC")
    rig, controller = running(shop)
    pes = controller.block.mask("ACR", "PES")
    controller.write("ACR", controller.block.registers["ACR"] | pes)
    takes_a_patch(rig, shop)
