"""OCTOSPI and its IO manager with the flash of three boards, driven as by ST's HAL (RM0432 19, 20; RM0438)."""

from __future__ import annotations

import pytest

from spboot.errors import TwinError

from .conftest import finish, out
from .external import OCTAL, chip, octospi, package, twin_of

WINDOW = 0x90000000
OCTO = [name for name, board in OCTAL.items() if board.chip == "MX25LM51245G"]
CR2 = "enable(); B[0] = B[1] = {value}; o_write(SPI | 1u << 8 | 3u << 12 | SPI_D, 0x72, {at:#x}, B, 1);"
TO_OPI, TO_DOPI = CR2.format(value=1, at=0), CR2.format(value=2, at=0)


@pytest.mark.parametrize("name", OCTAL)
def test_a_chip_is_told_erased_programmed_and_read(name: str) -> None:
    """On one line: identification, an erase, a page, the same by indirect reads and by the window, where code runs."""
    board = OCTAL[name]
    twin = twin_of(
        name,
        octospi(
            name,
            """o_read(SPI | SPI_D, 0x9f, 0, B, 3, 0); for (int i = 0; i < 3; i++) OUT[i] = B[i]; wipe(0x2000);
            for (int i = 0; i < 256; i++) B[i] = i ^ 0x5a; B[4] = 0x2a; B[5] = 0x20; B[6] = 0x70; B[7] = 0x47;
            page(0x2000, 256); for (int i = 0; i < 256; i++) B[i] = 0;
            o_read(SPI | SPI_A | SPI_D, READ, 0x2000, B, 256, 8);
            OUT[6] = B[0] | B[1] << 8 | B[255] << 24; map(); OUT[7] = REG(0x90002000); OUT[8] = REG(0x90002100);
            OUT[9] = ((uint32_t (*)(void))0x90002005)(); OUT[10] = O_SR;""",
        ),
    )
    finish(twin, 3)
    assert [out(twin, i) for i in range(3)] == list(board.id)
    assert out(twin, 6) == 0x5A | 0x5B << 8 | 0xA5 << 24
    assert [out(twin, i) for i in (7, 8, 9)] == [0x59585B5A, 0xFFFFFFFF, 42]
    assert out(twin, 10) & 0x20
    assert [(op.kind, op.address, op.size) for op in twin.log] == [
        ("erase", WINDOW + 0x2000, 0x1000),
        ("program", WINDOW + 0x2000, 256),
    ]
    assert not chip(twin).misread


@pytest.mark.parametrize("name", OCTO)
@pytest.mark.parametrize(("double", "read", "clocks"), [(False, 0xEC13, 20), (True, 0xEE11, 20)])
def test_eight_lines(name: str, double: bool, read: int, clocks: int) -> None:
    """By CR2 to the octal protocols, with one bit a clock and with two: commands of two bytes, and DQS."""
    kind = "DOPI" if double else "OPI"
    dummy = 5 if double else 4
    ids = 6 if double else 4
    twin = twin_of(
        name,
        octospi(
            name,
            f"""{TO_DOPI if double else TO_OPI} o_read({kind} | {kind}_A | {kind}_D, 0x9f60, 0, B, {ids}, {dummy});
            for (int i = 0; i < {ids}; i++) OUT[i] = B[i]; o_command({kind}, 0x06f9, 0); o_poll({kind}, 0x05fa, 2, 2);
            o_command({kind} | {kind}_A, 0x21de, 0x1000); o_poll({kind}, 0x05fa, 1, 0); o_command({kind}, 0x06f9, 0);
            for (int i = 0; i < 256; i++) B[i] = i ^ 0x5a;
            o_write({kind} | {kind}_A | {kind}_D, 0x12ed, 0x1000, B, 256);
            o_poll({kind}, 0x05fa, 1, 0); o_read({kind} | {kind}_A | {kind}_D, {read:#x}, 0x1000, B, 4, {clocks});
            OUT[6] = *(volatile uint32_t *)B; o_map({kind} | {kind}_A | {kind}_D, {read:#x}, {clocks});
            OUT[7] = REG(0x90001004);""",
        ),
    )
    finish(twin, 3)
    assert [out(twin, i) for i in range(ids)] == (
        [0xC2, 0xC2, 0x85, 0x85, 0x3A, 0x3A] if double else [0xC2, 0x85, 0x3A, 0]
    )
    assert (out(twin, 6), out(twin, 7)) == (0x59585B5A, 0x5D5C5F5E)
    assert not chip(twin).misread


@pytest.mark.parametrize("name", OCTO)
def test_eight_lines_survive_a_reset(name: str) -> None:
    """What a programmer left: the chip answers nothing on one line, until 66 and 99 come in its own protocol."""
    wait = "for (volatile int i = 0; i < 999; i++) {}"
    ident = "o_read(SPI | SPI_D, 0x9f, 0, B, 3, 0); OUT[%d] = B[0] | B[1] << 8 | B[2] << 16;"
    twin = twin_of(
        name,
        octospi(
            name,
            f"""if (OUT[0] != 7) {{ OUT[0] = 7; on(); {TO_DOPI} SCB_AIRCR = 0x05fa0004; for (;;) {{}} }}
            on(); {ident % 1}
            o_command(OPI, 0x6699, 0); o_command(OPI, 0x9966, 0); {ident % 2} o_command(DOPI, 0x6699, 0);
            o_command(DOPI, 0x9966, 0); {wait} {ident % 3}""",
            ready=False,
        ),
    )
    finish(twin, 3)
    assert [out(twin, i) for i in (1, 2, 3)] == [0xFFFFFF, 0xFFFFFF, 0x3A85C2]
    assert sum(chip(twin).misread.values()) == 4


def test_dummy_clocks_of_the_octal_read() -> None:
    """CR2 at 0x300: 7 stands for 6."""
    read = "o_read(OPI | OPI_A | OPI_D, 0xec13, 0, B, 2, {0}); OUT[{1}] = B[0];"
    twin = twin_of(
        "L562", octospi("L562", f"{CR2.format(value=7, at=0x300)} {TO_OPI} {read.format(20, 0)} {read.format(6, 1)}")
    )
    package(twin).cells.put(WINDOW, b"\x12\x34")
    finish(twin)
    assert (out(twin), out(twin, 1)) == (0xFF, 0x12)


def test_leaving_the_window() -> None:
    """Abort, then FMODE: a command is sent after that, and the window is a bus fault."""
    twin = twin_of(
        "L562",
        octospi(
            "L562",
            "OUT[2] = 0; map(); OUT[0] = REG(0x90000000); unmap(); wipe(0); (void)REG(0x90000000);",
        )
        + "void hard(void) { OUT[2] = REG(0xe000ed28) >> 8 & 0xff; for (;;) {} }",
    )
    assert twin.run(until=lambda: out(twin, 2) == 0x82, seconds=3)
    assert [fault.address for fault in twin.faults] == [WINDOW]


REFUSED = {  # board, C, what the twin says
    "the clock of the block": ("L562", "REG(0x40021050) = 0; O_CR = 1;", "OCTOSPI1_CR accessed while the clock"),
    "CCR while busy": ("L562", "START O_CCR = 0;", "OCTOSPI1_CCR was written while BUSY is 1"),
    "IR while busy": ("L562", "START O_IR = 0;", "OCTOSPI1_IR was written while BUSY is 1"),
    "TCR while busy": ("L562", "START O_TCR = 0;", "OCTOSPI1_TCR was written while BUSY is 1"),
    "AR while busy": ("L562", "START O_AR = 0;", "OCTOSPI1_AR was written while BUSY is 1"),
    "DCR1 while busy": ("L562", "START O_DCR1 = 0;", "OCTOSPI1_DCR1 was written while BUSY is 1"),
    "FMODE while busy": ("L562", "START O_CR &= ~(3u << 28);", "OCTOSPI1_CR.FMODE was changed while BUSY is 1"),
    "FMODE of a window that was read": ("L562", "map(); (void)REG(0x90000000); O_CR &= ~(3u << 28);",
                                       "FMODE was changed"),
    "command without EN": ("L562", "O_CR = 0; O_CCR = SPI; O_IR = 6;", "OCTOSPI1 has a command to send while EN is 0"),
    "address without EN": ("L562", "O_CR = 0; O_CCR = SPI_A; O_AR = 6;",
                           "OCTOSPI1 has a command to send while EN is 0"),
    "AR while mapped": ("L562", "map(); O_AR = 0;", "OCTOSPI1_AR was written in memory-mapped mode"),
    "DEVSIZE while mapped": ("L562", "map(); O_DCR1 = 0;", "OCTOSPI1_DCR1 was changed while the flash is mapped"),
    "PRESCALER while mapped": ("L562", "map(); O_DCR2 = 3;", "OCTOSPI1_DCR2 was changed while the flash is mapped"),
    "abort while idle": ("L562", "O_CR |= 2;", "OCTOSPI1_CR.ABORT was set while BUSY is 0"),
    "DR empty": ("L562", "(void)O_DR;", "1 bytes of OCTOSPI1_DR were read, its FIFO has 0"),
    "store to the window": ("L562", "map(); (void)REG(0x90000000); REG(0x90000000) = 1;",
                            "store to 0x90000000, the window of OCTOSPI1"),
    "an odd length": ("L562", f"{TO_DOPI} o_read(DOPI | DOPI_A | DOPI_D, 0xee11, 0, B, 3, 20);",
                      "moves 3 bytes at 0x0 with two bits a clock"),
    "an odd address": ("L4R9", f"{TO_DOPI} o_read(DOPI | DOPI_A | DOPI_D, 0xee11, 1, B, 2, 20);",
                       "moves 2 bytes at 0x1 with two bits a clock"),
    "DHQC without DDTR": ("L562", f"{TO_DOPI} STILL O_TCR = 1u << 28; O_CCR = DOPI & ~(1u << 27);"
                          " O_IR = 0x06f9;", "with DHQC and without DDTR"),
    "SSHIFT with DTR": ("L562", f"{TO_DOPI} STILL O_TCR = 1u << 30; O_CCR = DOPI; O_IR = 0x06f9;",
                        "SSHIFT was set with two bits a clock"),
    "MTYP": ("L562", f"{TO_DOPI} o_idle(); O_DCR1 = 25u << 16; o_read(DOPI | DOPI_A | DOPI_D, 0x9f60, 0, B, 2, 5);",
             "OCTOSPI1_DCR1.MTYP = 0 with two bits a clock"),
    "a mode that is none": ("L562", "o_idle(); O_CCR = 7; O_IR = 6;", "OCTOSPI1_CCR.IMODE = 7"),
    "HyperBus": ("L562", "REG(OSPI + 0x200) = 1;", "OCTOSPI1_HLCR = 0x1"),
    "wrap": ("L562", "O_DCR2 = 2u << 16;", "WRAPSIZE = 0x20000"),
    "a pin of another function": ("L562", "REG(0x42020020) = 0; o_command(SPI, 6, 0);", "PA3 is not its CLK"),
    "DQS": ("L562", f"{TO_DOPI} REG(0x42020424) = 0; REG(0x42020420) &= ~(15u << 8);"
            " o_command(DOPI | 1u << 29, 0x06f9, 0);",
            "is not its"),
    "four lines are not eight": ("L4S5", "o_idle(); O_CCR = OPI; O_IR = 0x06f9;", "no pin carries its IO4 here"),
    "a port without its supply": ("L4R9", "REG(0x40007004) = 0; o_command(SPI, 6, 0);", "PG12 is not its NCS"),
    "not routed": ("L4R9", "REG(0x50061c08) = 0x07050333; o_command(SPI, 6, 0);",
                   "OCTOSPIM_P2CR does not bring its CLK to port 2; .*Set OCTOSPIM_P2CR to 0x03010111"),
    "not enabled": ("L4R9", "REG(0x50061c08) = 0; o_command(SPI, 6, 0);", "does not bring its CLK to port 2"),
    "halves changed": ("L4R9", "REG(0x50061c08) = 0x01030111; o_command(SPI, 6, 0);",
                       "does not bring its IO0 to port 2"),
    "routed twice": ("L4R9", "REG(0x50061c04) = 0x03010111; o_command(SPI, 6, 0);", "its CLK is at both ports"),
    "multiplexed": ("L4R9", "REG(0x50061c00) = 1;", "OCTOSPIM_CR.MUXEN was set"),
    "clock of the manager": ("L4R9", "RCC_PORTENR &= ~(1u << 20); REG(0x50061c04) = 0;",
                             "OCTOSPIM_P1CR accessed while"),
}  # fmt: skip
_START = "o_idle(); O_DLR = 255; o_mode(1, SPI | SPI_A | SPI_D, 8); O_IR = READ; O_AR = 0;"
_STILL = "o_idle(); O_CR &= ~(3u << 28);"


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what: str) -> None:
    name, code, message = REFUSED[what]
    twin = twin_of(
        name,
        octospi(
            name, code.replace("START", _START).replace("STILL", _STILL) + " for (volatile int i = 0; i < 99; i++) {}"
        ),
    )
    with pytest.raises(TwinError, match=message) as caught:
        twin.run(seconds=3)
    assert "PC 0x0800" in str(caught.value)


def test_the_io_manager_after_a_reset() -> None:
    """RM0432 20.4: each controller at the port of its number."""
    twin = twin_of(
        "L4S5",
        octospi(
            "L4S5", "RCC_PORTENR |= 1u << 20; (void)RCC_PORTENR; OUT[0] = REG(0x50061c04); OUT[1] = REG(0x50061c08);"
        ),
    )
    finish(twin)
    assert (out(twin), out(twin, 1)) == (0x03010111, 0x07050333)


def test_what_runs_the_lines() -> None:
    """CCIPR2.OCTOSPISEL: SYSCLK after a reset; another choice needs that clock (RM0432 6.4.34)."""
    twin = twin_of("L4S5", octospi("L4S5", "REG(0x4002109c) = 2u << 20; o_command(SPI, 6, 0);"))
    with pytest.raises(TwinError, match=r"kernel clock is off|clocked by PLLQ"):
        finish(twin)


def test_a_snapshot_holds_it() -> None:
    """While an octal erase goes on."""
    twin = twin_of(
        "L562",
        octospi(
            "L562", f"{TO_OPI} o_command(OPI, 0x06f9, 0); o_command(OPI | OPI_A, 0x21de, 0); o_poll(OPI, 0x05fa, 1, 0);"
        ),
    )
    package(twin).cells.put(WINDOW, bytes(16))
    twin.run(seconds=0.01)
    assert chip(twin).busy
    snapshot, ends = twin.snapshot(), []
    for _ in range(2):
        twin.restore(snapshot)
        finish(twin)
        ends.append((twin.time, chip(twin).protocol, package(twin).cells.contents()))
    assert ends[0] == ends[1]
