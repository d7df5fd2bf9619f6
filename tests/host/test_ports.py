"""Serial ports: which is probably a board, and what is said when there is none or more than one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from serial.tools.list_ports_common import ListPortInfo

from spboot.errors import LinkError
from spboot.link import ports


def port(name: str, vid: int | None = None, pid: int | None = None, serial: str | None = None) -> ListPortInfo:
    """What pyserial says of a port, as its own reader of a system fills it in."""
    made = ListPortInfo(name)
    made.vid, made.pid, made.serial_number = vid, pid, serial
    if vid is not None:
        made.product = "STM32 STLink" if vid == 0x0483 else "adapter"
        made.apply_usb_info()
    return made


BOARD = port("/dev/ttyACM0", 0x0483, 0x374B, "066FFF")
V3 = port("COM7", 0x0483, 0x374E, "003A")
DFU = port("/dev/ttyACM1", 0x0483, 0x5740)
FTDI = port("/dev/ttyUSB0", 0x0403, 0x6001, "A50285BI")
OLD = port("/dev/ttyS0")


def test_what_a_port_is() -> None:
    told = {each.name: (each.what, each.likely) for each in ports.listed([FTDI, OLD, BOARD, V3, DFU])}
    assert told == {
        "/dev/ttyACM0": ("ST-LINK virtual COM port", 2),
        "COM7": ("ST-LINK virtual COM port", 2),
        "/dev/ttyACM1": ("USB", 1),
        "/dev/ttyUSB0": ("USB adapter, FTDI", 1),
        "/dev/ttyS0": ("", 0),
    }


@pytest.mark.parametrize("others", [[], [OLD], [FTDI], [FTDI, OLD, DFU]], ids=len)
def test_the_only_stlink_is_the_board(others: list[ListPortInfo]) -> None:
    assert ports.only(ports.listed([*others, BOARD])).name == "/dev/ttyACM0"


def test_the_only_adapter_is_the_board_where_no_stlink_is() -> None:
    assert ports.only(ports.listed([OLD, FTDI])).name == "/dev/ttyUSB0"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([], "no serial port: plug in the board"),
        ([OLD], r"no port of this machine is on USB: name the one of the board: /dev/ttyS0$"),
        (
            [BOARD, V3],
            r"2 ports may be the board: name one: /dev/ttyACM0 \(ST-LINK .*\), COM7 \(ST-LINK|COM7 .*ttyACM0",
        ),
        (
            [FTDI, DFU, OLD],
            r"2 ports may be the board: name one: /dev/ttyACM1 \(USB\), /dev/ttyUSB0 \(USB adapter, FTDI\)$",
        ),
    ],
    ids=["none", "no USB", "two boards", "two adapters"],
)
def test_no_port_is_guessed(found: list[ListPortInfo], words: str) -> None:
    with pytest.raises(LinkError, match=words):
        ports.only(ports.listed(found))


def test_the_command() -> None:
    """At the ports of this machine, whatever they are."""
    command = [sys.executable, "-c", "from spboot.cli import main; main()", "ports"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    facts = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout)
    assert [each["name"] for each in facts] == [each.name for each in ports.listed()]
    assert all(each["name"] in text for each in facts)
    if not facts:
        for words in ("plug in", "cable that carries data", "driver", "group dialout"):
            assert words in text
