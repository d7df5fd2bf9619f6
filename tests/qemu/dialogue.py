"""The same dialogue with the same program on QEMU and on the twin: what both consoles say, and at what rate."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from spboot import release
from spboot.boards import Board
from spboot.device import Device
from spboot.formats.program import Program
from spboot.formats.segment import Segment
from spboot.formats.spec import record, spec
from spboot.keys import Keys
from spboot.link.ymodem import RefusedError
from tests.apps import forced_image
from tests.qemu.flash_registers import FlashRegisters
from tests.qemu.machine import FLASH, Qemu
from tests.system.rig import RUNNING, Workshop

BOARD: Final = Path(__file__).parent / "B-L475E-IOT01A.toml"
BAUD: Final = "stm32l4x5_usart_update_params"
"""The event of QEMU's that tells of the rate of a UART, by its own model of clocks and dividers."""
CALLING: Final = b"loader: send a .sfb file by YMODEM\r\n"
_STAMP: Final = re.compile(rb"\[ *\d+\.\d{3}\]")
_SPEED: Final = re.compile(rf"{BAUD} USART: speed: (\d+), parity: N, data bits: 8, stop bits: 1")
Dialogue = Callable[[Device], None]


@dataclass(frozen=True)
class Case:
    """What is in flash, and what is said to it."""

    content: Program
    dialogue: Dialogue


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a console said, with stamps and number of calls taken out; QEMU's rates of the UART, in baud."""

    text: bytes
    rates: tuple[int, ...] = ()


def timeless(heard: bytes) -> bytes:
    """Without what depends on time: stamps in front of lines, the number of calls for a file."""
    return re.sub(rb"C+", b"C", _STAMP.sub(b"[time]", heard))


def on_twin(board: Board, content: Program, dialogue: Dialogue) -> Heard:
    """What the twin says."""
    with Device(board) as device:
        device.program(content)
        device.power_on()
        dialogue(device)
        return Heard(text=timeless(bytes(device.heard)))


def on_qemu(board: Board, content: Program, dialogue: Dialogue, folder: Path) -> Heard:
    """What QEMU says.  Raises AssertionError when the program did to FLASH what nobody here can do."""
    with Qemu(content.from_address(FLASH), folder, trace=[BAUD]) as qemu, Device(board, port=qemu.console) as device:
        registers = FlashRegisters(qemu.debugger, board.chip.block("FLASH"))
        registers.start()
        try:
            dialogue(device)
        finally:
            if registers.problem is not None:
                raise registers.problem
        rates = tuple(int(rate) for rate in _SPEED.findall(qemu.trace.read_text()))
        return Heard(text=timeless(bytes(device.heard)), rates=rates)


def both(shop: Workshop, name: str, folder: Path) -> tuple[Heard, Heard]:
    """What twin and QEMU say in the case *name*."""
    case = CASES[name](shop)
    return on_twin(shop.board, case.content, case.dialogue), on_qemu(shop.board, case.content, case.dialogue, folder)


def _start(shop: Workshop) -> Case:
    """Up to the demo, which tells its state and refuses two updates."""
    updates = _refused_updates(shop)

    def dialogue(device: Device) -> None:
        device.read_until(RUNNING)
        device.type("s")
        device.read_until(b"no update yet\r\n")
        for update in updates:
            device.call("application")
            _send(device, update, until=b"update: not done\r\n")

    return Case(shop.factory("1.0.0"), dialogue)


def _loader(shop: Workshop, content: Program) -> Case:
    """The loader, which nothing that can start keeps from calling, refuses two updates."""
    updates = _refused_updates(shop)

    def dialogue(device: Device) -> None:
        device.read_until(CALLING)
        for update in updates:
            device.read_until(b"C")
            _send(device, update, until=CALLING)

    return Case(content, dialogue)


def _empty(shop: Workshop) -> Case:
    return _loader(shop, shop.factory(None))


def _damaged_image(shop: Workshop) -> Case:
    return _loader(shop, _damaged(shop.factory("1.0.0"), shop.board.image_address + 0x100))


def _damaged_signature(shop: Workshop) -> Case:
    return _loader(shop, _damaged(shop.factory("1.0.0"), shop.board.slot0.address + record("manifest").size))


def _damaged_hash(shop: Workshop) -> Case:
    def dialogue(device: Device) -> None:
        device.read_until(b"program the bootloader again\r\n")

    abi = spec()["abi"]["offset"]
    return Case(_damaged(shop.factory("1.0.0"), FLASH + abi + record("abi").field("self_hash").offset), dialogue)


CASES: Final[dict[str, Callable[[Workshop], Case]]] = {
    "an application": _start,
    "no application": _empty,
    "a wrong bit in the application": _damaged_image,
    "a wrong bit in its signature": _damaged_signature,
    "a wrong bit in the hash of the bootloader": _damaged_hash,
}
"""What is in flash -> the case."""


def _send(device: Device, update: bytes, *, until: bytes) -> None:
    with pytest.raises(RefusedError):
        device.send(update)
    device.read_until(until)


def _refused_updates(shop: Workshop) -> tuple[bytes, bytes]:
    """An update by another key, and one by ours for another board: a wrong signature, and a good one."""
    image = shop.made(shop.demo("1.0.0"), "2.0.0")
    with tempfile.TemporaryDirectory() as folder:
        foreign = Keys.new(Path(folder) / "keys", shop.keys.product, development=True)
    elsewhere = forced_image(image.data, target="ELSEWHERE", keys=shop.keys, version=image.version)
    return release.full_image(image, keys=foreign), elsewhere


def _damaged(content: Program, address: int) -> Program:
    """*content* with the lowest bit at *address* turned over."""
    data = bytearray(content.from_address(FLASH))
    data[address - FLASH] ^= 1
    return Program(kind=content.kind, segments=(Segment(FLASH, bytes(data)),))
