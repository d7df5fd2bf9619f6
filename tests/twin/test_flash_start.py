"""A start that asks nothing of the chip: whatever state the application left it in, it answers to its id afterwards.

No reset but by power reaches a chip on these boards.  The order: wake it, end a read that goes on, reset it in every
protocol that the lines can carry, then poll the status, with no answer before that counting for anything."""

from __future__ import annotations

import pytest

from spboot.twin import Twin

from .conftest import DONE, finish, firmware, out
from .external import BOARDS, OCTAL, chip, octospi, package, quadspi, twin_of

_WAIT = "for (volatile int i = 0; i < 1200; i++) {}"
ON_FOUR = f"""q_command(0xab | I1, 0); {_WAIT} q_command(0xff | I1, 0); q_command(0xff | I4, 0);
    q_command(0x66 | I4, 0); q_command(0x99 | I4, 0); q_command(0x66 | I1, 0); q_command(0x99 | I1, 0); {_WAIT} ready();
    q_read(0x9f | I1 | D1, 0, B, 3 * CHIPS); for (int i = 0; i < 3; i++) OUT[i] = B[i * CHIPS];
    q_read(READ, 0, B, 2); OUT[3] = B[0];"""
ON_EIGHT = f"""o_command(SPI, 0xab, 0); {_WAIT} o_command(SPI, 0xff, 0); o_command(DOPI, 0x6699, 0);
    o_command(DOPI, 0x9966, 0); o_command(OPI, 0x6699, 0); o_command(OPI, 0x9966, 0); o_command(SPI, 0x66, 0);
    o_command(SPI, 0x99, 0); {_WAIT} ready(); o_read(SPI | SPI_D, 0x9f, 0, B, 3, 0);
    for (int i = 0; i < 3; i++) OUT[i] = B[i]; o_read(SPI | SPI_A | SPI_D, READ, 0, B, 2, 8); OUT[3] = B[0];"""
SLEEP, SUSPEND = (
    "q_command(0xb9 | I1, 0);",
    "enable(); q_command(ERASE, 0x4000); {wait} q_command({op} | I1, 0); ready();",
)
QPI = "q_command(0x35 | I1, 0);"
MICRON_QPI = "enable(); B[0] = B[1] = 0x5f; q_write(0x61 | I1 | D1, 0, B, CHIPS);"
WIDE = "q_command(0xb7 | I1, 0);"
STATES = {
    "as it is": dict.fromkeys(BOARDS, ""),
    "four lines": {"F469": MICRON_QPI, "L476": MICRON_QPI, "H745": QPI, "F769": QPI},
    "wide addresses": {"F769": WIDE, "H745": f"enable(); {WIDE}"},
    "deep power-down": {"F769": SLEEP, "H745": SLEEP, "L496": SLEEP},
    "erasing": dict.fromkeys(BOARDS, "enable(); q_command(ERASE, 0x4000);"),
    "suspended": {
        name: SUSPEND.format(wait=_WAIT, op="0x75" if board.chip[0] != "M" or board.count > 1 else "0xb0")
        for name, board in BOARDS.items()
    },
    "write enabled": dict.fromkeys(BOARDS, "enable();"),
    "reset enabled": dict.fromkeys(BOARDS, "q_command(0x66 | I1, 0);"),
    "a read that goes on": {
        "L496": """enable(); B[0] = 0x40; q_write(0x01 | I1 | D1, 0, B, 1); ready(); Q_ABR = 0xa5;
        q_read(0xeb | I1 | A4 | 3u << 14 | D4 | DUMMY(4), 0, B, 1);"""
    },
    "mapped": dict.fromkeys(BOARDS, "map(); (void)REG(0x90000000);"),
}
CR2 = "enable(); B[0] = B[1] = {}; o_write(SPI | 1u << 8 | 3u << 12 | SPI_D, 0x72, 0, B, 1);"
OCTO_STATES = {
    "as it is": "",
    "eight lines": CR2.format(1),
    "eight lines, two bits a clock": CR2.format(2),
    "deep power-down": "o_command(SPI, 0xb9, 0);",
    "deep power-down on eight lines": CR2.format(1) + "o_command(OPI, 0xb946, 0);",
    "erasing on eight lines": CR2.format(2) + "o_command(DOPI, 0x06f9, 0); o_command(DOPI | DOPI_A, 0x21de, 0x4000);",
    "erasing": "enable(); o_command(SPI | SPI_A, ERASE, 0x4000);",
}


def _again(twin: Twin, image: bytes) -> None:
    """A reset, and another program."""
    twin.flash_load(0x08000000, image)
    twin.rams.put(DONE, bytes(4))
    twin.reset("pin")
    finish(twin, 3)


@pytest.mark.parametrize(("state", "name"), [(state, name) for state, boards in STATES.items() for name in boards])
def test_with_four_lines(state: str, name: str) -> None:
    twin = twin_of(name, quadspi(name, STATES[state][name]))
    package(twin).cells.put(package(twin).cells.address, b"\x42" * 4)
    finish(twin, 3)
    _again(twin, firmware(quadspi(name, ON_FOUR), BOARDS[name].part))
    assert tuple(out(twin, i) for i in range(3)) == BOARDS[name].id
    assert out(twin, 3) == 0x42
    assert (chip(twin).protocol, chip(twin).suspended, chip(twin).running) == ("spi", None, None)


@pytest.mark.parametrize("name", ["L4R9", "L562"])
@pytest.mark.parametrize("state", OCTO_STATES)
def test_with_eight_lines(state: str, name: str) -> None:
    """Deep power-down in an octal protocol: a command on one line does not wake it, so that it is asked in that one."""
    start = ON_EIGHT
    if state == "deep power-down on eight lines":
        start = f"o_command(OPI, 0xab54, 0); {_WAIT}" + ON_EIGHT
    twin = twin_of(name, octospi(name, OCTO_STATES[state]))
    package(twin).cells.put(package(twin).cells.address, b"\x42" * 4)
    finish(twin, 3)
    _again(twin, firmware(octospi(name, start), OCTAL[name].part))
    assert tuple(out(twin, i) for i in range(3)) == OCTAL[name].id
    assert out(twin, 3) == 0x42
    assert (chip(twin).protocol, chip(twin).running) == ("spi", None)
