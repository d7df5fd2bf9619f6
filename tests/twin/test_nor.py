"""Serial NOR flash by its data sheets: what it takes, what it keeps over a reset, and what it does not understand."""

from __future__ import annotations

import pytest

from spboot.errors import TwinError

from .conftest import finish, out
from .external import chip, package, quadspi, twin_of

WINDOW = 0x90000000
RESET_ONCE = "if (OUT[0] != 7) { OUT[0] = 7; on(); %s SCB_AIRCR = 0x05fa0004; for (;;) {} } OUT[0] = 0; on(); %s"
ID = "q_read(0x9f | I1 | D1, 0, B, 3 * CHIPS); OUT[1] = B[0] | B[1] << 8 | B[2] << 16;"
REFUSED = {  # board, C, what the twin says
    "program without WREN": ("L476", "q_write(PROGRAM, 0, B, 1);", "N25Q128A: command 0x02 .* without write enable"),
    "erase without WREN": ("F769", "q_command(ERASE, 0);", "MX25L51245G: command 0x21 .* without write enable"),
    "registers without WREN": ("L496", "q_write(0x01 | I1 | D1, 0, B, 1);", "MX25R6435F: command 0x01 .* without"),
    "four bytes of Micron": ("H745", "q_command(0xb7 | I1, 0);", "MT25QL512: command 0xb7 .* without write enable"),
    "WEL falls at the end": ("L476", "wipe(0); q_write(PROGRAM, 0, B, 1);", "without write enable"),
    "WRDI": ("L476", "enable(); q_command(0x04 | I1, 0); q_write(PROGRAM, 0, B, 1);", "without write enable"),
    "read while busy": ("L476", "enable(); q_command(ERASE, 0); q_read(READ, 0, B, 1);", "0x0b .* while it is busy"),
    "WREN while busy": ("L476", "enable(); q_command(ERASE, 0); enable();", "0x06 .* while it is busy"),
    "map while busy": ("L476", "enable(); q_command(ERASE, 0); q_idle(); Q_AR = 0; Q_CCR = MAPPED_MODE | READ;",
                       "while it is busy"),
    "beyond a page": ("L476", "B[0] = 0; page(0xff, 2);", "program of 2 bytes at 0xff, beyond its page of 256"),
    "more than a page": ("L476", "enable(); q_write(PROGRAM, 0, B, 257);", "program of 257 bytes at 0x0"),
    "a 1 over a 0": ("L476", "B[0] = 0x0f; page(5, 1); B[0] = 0x3c; page(5, 1);", "program of 0x3c over 0x0f at 0x5"),
    "read of what is suspended": ("L476", "enable(); q_command(ERASE, 0x1000); q_command(0x75 | I1, 0); ready();"
                                  " q_read(READ, 0x1ffe, B, 1);", "read of 0x1ffe, whose erase is suspended"),
    "the window on what is suspended": ("L476", "enable(); q_command(ERASE, 0x1000); q_command(0x75 | I1, 0); ready();"
                                        " map(); OUT[1] = REG(0x90002000); (void)REG(0x90001000);",
                                        "read of 0x1000, whose erase is suspended"),
    "program of what is suspended": ("L476", "enable(); q_command(ERASE, 0); q_command(0x75 | I1, 0); ready();"
                                     " page(0, 1);",
                                     "program of 0x0 while its erase at 0x0 is suspended"),
    "erase while suspended": ("L476", "enable(); q_command(ERASE, 0); q_command(0x75 | I1, 0); ready(); wipe(0x2000);",
                              "erase of 0x2000 while its erase is suspended"),
    "NVCR": ("L476", "enable(); B[0] = 0xfe; B[1] = 0xff; q_write(0xb1 | I1 | D1, 0, B, 2);", "NVCR = 0xfffe"),
    "too soon after a wake-up": ("F769", "q_command(0xb9 | I1, 0); q_command(0xab | I1, 0);" + ID,
                                 "0x9f .* before it recovered"),
    "too soon after a reset": ("F769", "q_command(0x66 | I1, 0); q_command(0x99 | I1, 0);" + ID, "before it recovered"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what: str) -> None:
    name, code, message = REFUSED[what]
    twin = twin_of(name, quadspi(name, code + " for (volatile int i = 0; i < 99; i++) {}"))
    with pytest.raises(TwinError, match=message) as caught:
        twin.run(seconds=3)
    assert "PC 0x0800" in str(caught.value)


STUCK = {  # board, C that leaves the state, what the chip then misunderstands, C that brings it back
    "four lines": ("F769", "q_command(0x35 | I1, 0);", "in its protocol qpi",
                   "q_command(0x66 | I4, 0); q_command(0x99 | I4, 0);"),
    "four lines of Micron": ("L476", "enable(); B[0] = 0x5f; q_write(0x61 | I1 | D1, 0, B, 1);", "in its protocol qpi",
                             "q_command(0x66 | I4, 0); q_command(0x99 | I4, 0);"),
    "deep power-down": ("L496", "q_command(0xb9 | I1, 0);", "in deep power-down", "q_command(0xab | I1, 0);"),
}  # fmt: skip


@pytest.mark.parametrize("what", STUCK)
def test_a_reset_of_the_part_leaves_the_chip_as_it_is(what: str) -> None:
    """No chip sees NRST on these boards: it answers nothing until it is brought back, or its power was off."""
    name, leave, misread, back = STUCK[what]
    wait = "for (volatile int i = 0; i < 999; i++) {}"
    again = f"{ID} OUT[2] = OUT[1]; {back} {wait} {ID}"
    twin = twin_of(name, quadspi(name, RESET_ONCE % (leave, again), ready=False))
    finish(twin, 3)
    first = int.from_bytes(chip(twin).id, "little")
    assert (out(twin, 2), out(twin, 1)) == (0xFFFFFF, first)
    assert any(misread in words for words in chip(twin).misread)
    twin = twin_of(name, quadspi(name, leave))
    finish(twin, 3)
    assert (chip(twin).protocol, chip(twin).asleep) != ("spi", False)
    twin.reset("pin")
    assert (chip(twin).protocol, chip(twin).asleep) != ("spi", False)
    twin.power_on()
    assert (chip(twin).protocol, chip(twin).asleep) == ("spi", False)


def test_a_reset_pin_that_is_connected() -> None:
    """The key `reset` of a board: the chip starts anew with the part."""
    twin = twin_of("F769", quadspi("F769", "q_command(0x35 | I1, 0);"), reset=True)
    finish(twin)
    assert chip(twin).protocol == "qpi"
    twin.reset("pin")
    assert chip(twin).protocol == "spi"


def test_the_width_of_addresses_survives_a_reset() -> None:
    """MX25L51245G: B7 without WREN, and CR.4BYTE says so; a read with three bytes is not understood then."""
    narrow = "0x0b | I1 | (1u << 10 | 2u << 12) | D1 | DUMMY(8)"
    wide = "0x0b | I1 | (1u << 10 | 3u << 12) | D1 | DUMMY(8)"
    code = f"""q_read({narrow}, 1, B, 1); OUT[1] = B[0]; q_read({wide}, 1, B, 1); OUT[2] = B[0];
        q_read(0x15 | I1 | D1, 0, B, 1); OUT[3] = B[0];"""
    twin = twin_of("F769", quadspi("F769", RESET_ONCE % ("q_command(0xb7 | I1, 0);", code), ready=False))
    package(twin).cells.put(WINDOW, bytes((1, 2)))
    finish(twin)
    assert [out(twin, i) for i in (1, 2, 3)] == [0xFF, 2, 0x27]
    assert sum(chip(twin).misread.values()) == 1


def test_an_erase_goes_on_over_a_reset() -> None:
    """WIP is 1 behind the reset, and 0 when the time is over."""
    code = "q_read(STATUS, 0, B, 1); OUT[1] = B[0]; ready(); OUT[2] = 1; q_read(STATUS, 0, B, 1); OUT[3] = B[0];"
    twin = twin_of("L476", quadspi("L476", RESET_ONCE % ("enable(); q_command(ERASE, 0);", code), ready=False))
    package(twin).cells.put(WINDOW, bytes(64))
    finish(twin)
    assert (out(twin, 1), out(twin, 3)) == (3, 0)
    assert 0.25 < twin.time < 0.27
    assert package(twin).cells.get(WINDOW, 64) == b"\xff" * 64


def test_a_reset_command_needs_its_enable_right_before_it() -> None:
    """66, another command, 99: not understood."""
    wait = "for (volatile int i = 0; i < 999; i++) {}"
    twin = twin_of("F769", quadspi("F769", f"""enable(); q_command(0x66 | I1, 0); q_read(STATUS, 0, B, 1);
        q_command(0x99 | I1, 0); q_read(STATUS, 0, B, 1); OUT[1] = B[0]; q_command(0x66 | I1, 0);
        q_command(0x99 | I1, 0); {wait} q_read(STATUS, 0, B, 1); OUT[2] = B[0];"""))  # fmt: skip
    finish(twin)
    assert (out(twin, 1), out(twin, 2)) == (2, 0)
    assert [words.split(" as ")[0] for words in chip(twin).misread] == ["command 0x99"]


PROTECTED = {  # board, BP bits of SR, command of the flags, those of a failed program, an address inside, one outside
    "the upper half of N25Q128A": ("L476", 0x40, 0x70, 0x80 | 0x12, 0xFFF000, 0x0),
    "the lowest block of N25Q128A": ("L476", 0x24, 0x70, 0x80 | 0x12, 0xF000, 0x10000),
    "all of MX25R6435F": ("L496", 0x3C, 0x2B, 0x20, 0x0, None),
    "the upper blocks of MX25L51245G": ("F769", 0x08, 0x2B, 0x20, 0x3FE0000, 0x3FD0000),
}


@pytest.mark.parametrize("what", PROTECTED)
def test_protected_blocks(what: str) -> None:
    """BP bits: nothing happens, and a flag says so; outside of them all is as ever."""
    name, bits, command, flags, inside, outside = PROTECTED[what]
    others = "" if outside is None else f"page({outside:#x}, 1);"
    clear = "q_command(0x50 | I1, 0);" if command == 0x70 else ""
    twin = twin_of(
        name,
        quadspi(
            name,
            f"""enable(); B[0] = {bits}; q_write(0x01 | I1 | D1, 0, B, 1); ready(); B[0] = 0x55; enable();
            q_write(PROGRAM, {inside:#x}, B, 1); q_read({command:#x} | I1 | D1, 0, B, 1); OUT[1] = B[0]; {clear}
            q_read({command:#x} | I1 | D1, 0, B, 1); OUT[2] = B[0]; B[0] = 0x55; {others}""",
        ),
    )
    finish(twin, 3)
    assert out(twin, 1) == flags
    assert out(twin, 2) == (0x80 if clear else flags)
    assert package(twin).cells.get(WINDOW + inside, 1) == b"\xff"
    assert outside is None or package(twin).cells.get(WINDOW + outside, 1) == b"\x55"
    assert "which the protection bits cover" in chip(twin).refusals[0]


def test_quad_enable() -> None:
    """MX25L51245G, SR.QE: reads on four lines are not understood without it; it is kept without power."""
    code = "q_read(0x6c | I1 | A1 | D4 | DUMMY(8), 0, B, 1); OUT[%d] = B[0];"
    twin = twin_of(
        "F769",
        quadspi(
            "F769",
            f"{code % 1} enable(); B[0] = 0x40; q_write(0x01 | I1 | D1, 0, B, 1); ready(); {code % 2}",
        ),
    )
    package(twin).cells.put(WINDOW, b"\x12")
    finish(twin)
    assert (out(twin, 1), out(twin, 2)) == (0xFF, 0x12)
    twin.power_on()
    assert chip(twin).registers["SR"] == 0x40


def test_dummy_clocks_are_those_that_the_chip_was_told() -> None:
    """N25Q128A, VCR bits 7 to 4: with six, a read with eight is not understood."""
    read = "q_read(0x0b | I1 | A1 | D1 | DUMMY({0}), 0, B, 1); OUT[{1}] = B[0];"
    twin = twin_of(
        "L476",
        quadspi(
            "L476",
            f"enable(); B[0] = 0x6b; q_write(0x81 | I1 | D1, 0, B, 1); {read.format(8, 1)} {read.format(6, 2)}",
        ),
    )
    package(twin).cells.put(WINDOW, b"\x12")
    finish(twin)
    assert (out(twin, 1), out(twin, 2)) == (0xFF, 0x12)


def test_suspend_and_resume() -> None:
    """N25Q128A: 75 and 7A; flags say so, other sectors are at work, and the erase takes what it had left."""
    twin = twin_of(
        "L476",
        quadspi(
            "L476",
            """wipe(0x2000); enable(); q_command(ERASE, 0); for (volatile int i = 0; i < 19999; i++) {}
            q_command(0x75 | I1, 0); ready(); q_read(0x70 | I1 | D1, 0, B, 1); OUT[1] = B[0]; B[0] = 0x77;
            page(0x2000, 1); q_read(READ, 0x2000, B, 1); OUT[2] = B[0]; OUT[0] = 3; q_command(0x7a | I1, 0);
            ready(); OUT[0] = 4; q_read(0x70 | I1 | D1, 0, B, 1); OUT[3] = B[0];""",
        ),
    )
    assert twin.run(until=lambda: out(twin) == 3)
    begin = twin.time
    assert twin.run(until=lambda: out(twin) == 4)
    assert 0.15 < twin.time - begin < 0.24
    finish(twin)
    assert [out(twin, i) for i in (1, 2, 3)] == [0xC0, 0x77, 0x80]


@pytest.mark.parametrize(("pause", "ends"), [(20, False), (2000, True)])
def test_an_erase_that_is_suspended_too_soon_never_ends(pause: int, ends: bool) -> None:
    """MX25R6435F: at least 448 us from a resume to the next suspend, or it gets nowhere."""
    twin = twin_of(
        "L496",
        quadspi(
            "L496",
            f"""enable(); q_command(ERASE, 0); OUT[1] = 0; for (int n = 0; n < 900; n++) {{
            for (volatile int i = 0; i < {pause}; i++) {{}} q_read(STATUS, 0, B, 1); if (!(B[0] & 1)) break; OUT[1]++;
            q_command(0xb0 | I1, 0); ready(); q_command(0x30 | I1, 0); }}""",
        ),
    )
    finish(twin, 3)
    assert (out(twin, 1) < 900) == ends


def test_a_read_that_goes_on_without_its_command() -> None:
    """MX25R6435F, EB with mode bits A5: SIOO sends the command once; FF ends it, nothing else does."""
    twin = twin_of(
        "L496",
        quadspi(
            "L496",
            """enable(); B[0] = 0x40; q_write(0x01 | I1 | D1, 0, B, 1); ready(); q_read(STATUS, 0, B, 1); q_idle();
            Q_AR = 0; Q_ABR = 0xa5; Q_CCR = 1u << 28 | MAPPED_MODE | 0xeb | I1 | A4 | 3u << 14 | D4 | DUMMY(4);
            OUT[1] = REG(0x90000000); unmap(); q_read(0x9f | I1 | D1, 0, B, 1); OUT[2] = B[0];
            q_command(0xff | I1, 0); q_read(0x9f | I1 | D1, 0, B, 1); OUT[3] = B[0];""",
        ),
    )
    package(twin).cells.put(WINDOW, bytes((4, 3, 2, 1)))
    finish(twin)
    assert [out(twin, i) for i in (1, 2, 3)] == [0x01020304, 0xFF, 0xC2]


def test_the_second_chip_is_another() -> None:
    """Two in parallel have each a state of its own: firmware has to look at both."""
    twin = twin_of(
        "H745", quadspi("H745", "q_read(0x9f | I1 | D1, 0, B, 6); for (int i = 0; i < 6; i++) OUT[i] = B[i];")
    )
    chip(twin, 1).id = bytes((0xC2, 0x20, 0x1A))
    finish(twin)
    assert [out(twin, i) for i in range(6)] == [0x20, 0xC2, 0xBA, 0x20, 0x20, 0x1A]
    twin = twin_of(
        "H745", quadspi("H745", "enable(); q_command(ERASE, 0); ready(); q_read(READ, 0, B, 4); OUT[0] = B[1];")
    )
    package(twin).cells.put(WINDOW, bytes((1, 2, 3, 4)))
    chip(twin, 1).registers["SR"] = 0x5C  # all of it is protected
    finish(twin)
    assert package(twin).cells.get(WINDOW, 4) == bytes((0xFF, 2, 0xFF, 4))
