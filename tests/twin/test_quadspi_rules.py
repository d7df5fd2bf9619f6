"""What silicon would not go on with, and errata that cost days: each rule is broken once (RM0351, RM0399, AN4760)."""

from __future__ import annotations

import pytest

from spboot import chips
from spboot.chips.silence import Silence
from spboot.errors import TwinError
from spboot.twin import Twin

from .conftest import finish, firmware, out
from .external import BOARDS, package, quadspi, twin_of

WINDOW = 0x90000000
START = "q_idle(); Q_DLR = 255; Q_CCR = READ_MODE | READ; Q_AR = 0; "
REFUSED = {  # board, C, what the twin says
    "the clock of the block": ("L476", "REG(0x40021050) = 0; Q_CR = 1;", "QUADSPI_CR accessed while the clock"),
    "CCR while busy": ("L476", START + "Q_CCR = 0;", "QUADSPI_CCR was written while BUSY is 1"),
    "AR while busy": ("L476", START + "Q_AR = 0;", "QUADSPI_AR was written while BUSY is 1"),
    "DLR while busy": ("L476", START + "Q_DLR = 0;", "QUADSPI_DLR was written while BUSY is 1"),
    "DCR while busy": ("L476", START + "Q_DCR = 0;", "QUADSPI_DCR was written while BUSY is 1"),
    "PSMKR while busy": ("L476", START + "Q_PSMKR = 0;", "QUADSPI_PSMKR was written while BUSY is 1"),
    "LPTR while busy": ("L476", START + "Q_LPTR = 0;", "QUADSPI_LPTR was written while BUSY is 1"),
    "PRESCALER while busy": ("L476", START + "Q_CR = 7u << 24 | 1;", "QUADSPI_CR.SSHIFT was changed while BUSY is 1"),
    "CCR without EN": ("L476", "Q_CR = 0; Q_CCR = 0x06 | I1;", "QUADSPI_CCR = 0x00000106 while EN is 0"),
    "AR without EN": ("L476", "q_read(READ, 0, B, 4); Q_CR = 0; Q_AR = 0;", "QUADSPI_AR was written while EN is 0"),
    "DR empty": ("L476", "(void)Q_DR;", "1 bytes of QUADSPI_DR were read, its FIFO has 0"),
    "DR a word of two": ("L476", "q_idle(); Q_DLR = 1; Q_CCR = READ_MODE | STATUS; q_done(TCF); (void)Q_DR32;",
                         "4 bytes of QUADSPI_DR were read, its FIFO has 2"),
    "DR in a read": ("L476", START + "Q_DR = 1;", "1 bytes were written to QUADSPI_DR, which no command takes"),
    "DR too much": ("L476", "enable(); q_idle(); Q_DLR = 1; Q_CCR = PROGRAM; Q_AR = 0; Q_DR32 = 1;",
                    "4 bytes were written to QUADSPI_DR"),
    "AR while mapped": ("L476", "map(); Q_AR = 0;", "QUADSPI_AR was written in memory-mapped mode"),
    "FSIZE while mapped": ("L476", "map(); Q_DCR = 0;", "QUADSPI_DCR was changed while the flash is mapped"),
    "PRESCALER while mapped": ("L476", "map(); Q_CR = Q_CR + (1u << 24);", "PRESCALER was changed while BUSY is 1 or"),
    "DLR of a poll": ("L476", "q_idle(); Q_DLR = 4; Q_CCR = POLL_MODE | STATUS;", "QUADSPI polls 5 bytes"),
    "endless": ("L476", "q_idle(); Q_DLR = ~0u; Q_CCR = READ_MODE | STATUS;", "does not model data without an end"),
    "DMA": ("L476", "Q_CR |= 4;", "QUADSPI_CR.DMAEN was set"),
    "the second bank": ("L476", "Q_CR |= 1u << 7;", "QUADSPI_CR.FSEL was set"),
    "abort while idle": ("L476", "Q_CR |= 2;", "QUADSPI_CR.ABORT was set while BUSY is 0"),
    "abort of an idle map": ("L476", "map(); Q_CR |= 2;", "QUADSPI_CR.ABORT was set while BUSY is 0"),
    "FTHRES of F4": ("F469", "Q_CR |= 16u << 8;", "QUADSPI_CR.FTHRES = 16; .* at most 15"),
    "FTHRES of F7": ("F769", "Q_CR |= 31u << 8;", "QUADSPI_CR.FTHRES = 31"),
    "free running clock": ("L476", "Q_CCR = 0x20000000;", "QUADSPI_CCR.FRCM was set"),
    "SIOO": ("L476", "Q_CCR = 1u << 28 | READ_MODE | READ;", "QUADSPI_CCR.SIOO in indirect mode"),
    "too fast": ("L496", "Q_CR = 0; fast(); Q_CR = 1u << 4 | 1; q_command(0x06 | I1, 0); Q_DLR = 3;"
                 " Q_CCR = READ_MODE | READ; Q_AR = 0;", "MX25R6435F: command 0x0b .* at 80 MHz.*At most 33 MHz"),
    "a pin of another function": ("L476", "REG(0x48001024) = 0; q_command(0x06 | I1, 0);", "PE10 is not its CLK"),
    "a pin of data": ("L476", "REG(0x48001000) |= 3u << 28; q_read(0x6b | I1 | A1 | D4 | DUMMY(8), 0, B, 4);",
                      "PE14 is not its IO2"),
    "map with a pin missing": ("L476", "REG(0x48001000) |= 3u << 22; q_idle(); Q_CCR = MAPPED_MODE | READ;",
                               "PE11 is not its NCS"),
    "map with no read": ("L476", "q_idle(); Q_CCR = MAPPED_MODE | STATUS;", "maps command 0x05 .* which is no read"),
    "store to the window": ("L476", "map(); (void)REG(0x90000000); REG(0x90000000) = 1;",
                            "store to 0x90000000, the window of QUADSPI"),
    "one chip as two": ("L476", "Q_CR |= 1u << 6; q_command(0x06 | I1, 0);", "sends to 2 chips, there are 1"),
    "two chips as one": ("H745", "Q_CR &= ~(1u << 6); q_command(0x06 | I1, 0);", "sends to 1 chips, there are 2"),
    "an odd address of two": ("H745", "q_read(READ, 1, B, 2);", "sends 2 bytes at 0x1 to two chips in parallel"),
    "an odd length of two": ("H745", "q_read(READ, 0, B, 3);", "sends 3 bytes at 0x0 to two chips in parallel"),
    "read ahead": ("F769", "REG(0xe000ed94) = 0; q_command(0x06 | I1, 0);", "the core may read ahead at 0x90000000"),
    "read ahead of a region": ("F769", "mpu(26); q_command(0x06 | I1, 0);", "the core may read ahead at 0x90000000"),
    "read ahead beyond the flash": ("F769", "q_read(STATUS, 0, B, 1); q_idle(); Q_AR = 0; mpu(27);"
                                    " Q_CCR = MAPPED_MODE | READ;", "the core may read ahead at 0x94000000"),
    "read ahead beyond the flash, allowed when it is mapped": (
        "F769",
        "q_read(STATUS, 0, B, 1); q_idle(); Q_AR = 0; Q_CCR = MAPPED_MODE | READ; mpu(27); (void)REG(0x90000000);",
        "the core may read ahead at 0x94000000"),
    "beyond the flash": ("F769", "map(); mpu(27); (void)REG(0x94000000);", "beyond the 0x4000000 bytes behind QUADSPI"),
    "no sequence after a reset": ("H745", "REG(0x5802447c) |= 1u << 14; REG(0x5802447c) = 0; Q_DCR = 26u << 16;"
                                  "Q_CR = 1u << 24 | 0x51; q_command(0x06 | I1, 0);", "its timing is not put right"),
    "no sequence after mapped mode": ("H745", "map(); (void)REG(0x90000000); Q_CR |= 2; while (Q_CR & 2) {} mpu(0);"
                                      " q_idle(); Q_CCR = 0; q_command(0x06 | I1, 0);", "its timing is not put right"),
    "a sequence that is slow": ("H745", "Q_CR = 0; Q_CR = 0xff000001; Q_CCR = 0x20000000; Q_CCR = 0x20000000;"
                                " for (volatile int i = 0; i < 40; i++) {} Q_CR = 0;", "took .*, at most 1.98438 us"),
    "the last bytes": ("H745", "map(); OUT[0] = REG(0x97ffffdc); (void)REG(0x97ffffe0);",
                       "read of 0x97ffffe0, the last bytes behind QUADSPI.*ES0392"),
}  # fmt: skip
_CLOCK = """static void fast(void) {
    FLASH_ACR = (FLASH_ACR & ~7u) | 4; RCC_PLLCFGR = 1u | 40u << 8 | 1u << 24; RCC_CR |= 1u << 24;
    while (!(RCC_CR & 1u << 25)) {} RCC_CFGR |= 3; while ((RCC_CFGR & 0xc) != 0xc) {} }
"""


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what: str) -> None:
    name, code, message = REFUSED[what]
    source = quadspi(name, code + " for (volatile int i = 0; i < 99; i++) {}")
    if "fast()" in code:
        source = _CLOCK + source
    twin = twin_of(name, source)
    with pytest.raises(TwinError, match=message) as caught:
        twin.run(seconds=3)
    assert "PC 0x0800" in str(caught.value)


def test_a_part_without_flash_chips_says_so() -> None:
    """The block takes its registers, and no command."""
    twin = twin_of("L476", quadspi("L476", "q_command(0x06 | I1, 0);"))
    bare = Twin(BOARDS["L476"].part)
    bare.flash_load(0x08000000, firmware(quadspi("L476", "q_command(0x06 | I1, 0);"), BOARDS["L476"].part))
    bare.power_on()
    with pytest.raises(TwinError, match=r"QUADSPI is used, and no flash chip is at its lines.*--silent QUADSPI"):
        bare.run(seconds=1)
    finish(twin)


@pytest.mark.parametrize(("name", "wrong"), [("L476", True), ("F469", True), ("F769", True), ("H745", False)])
def test_the_first_word_is_wrong_unless_ar_is_zero(name: str, wrong: bool) -> None:
    """ES0250, ES0335: mapped after an indirect command with an address; the second read is right."""
    board = BOARDS[name]
    twin = twin_of(
        name,
        quadspi(
            name,
            f"""q_read(READ, 0x40, B, 4); q_read(STATUS, 0, B, CHIPS); q_idle(); mpu({board.fsize + 1});
            Q_CCR = MAPPED_MODE | READ; OUT[0] = REG(0x90000000); OUT[1] = REG(0x90000000);""",
        ),
    )
    package(twin).cells.put(WINDOW, bytes((1, 2, 3, 4)))
    finish(twin)
    assert (out(twin) != 0x04030201) == wrong
    assert out(twin, 1) == 0x04030201


def test_a_lenient_twin_warns() -> None:
    """What silicon bears, of an application: an ignored write, and a core that may read ahead."""
    twin = twin_of("F769", quadspi("F769", "REG(0xe000ed94) = 0;" + START + "Q_PIR = 3; OUT[0] = Q_PIR; Q_CR |= 2;"))
    twin.strict = "none"
    finish(twin)
    assert out(twin) != 3
    assert any("BUSY is 1" in warning for warning in twin.warnings)
    assert any("read ahead" in warning for warning in twin.warnings)


def test_a_controller_without_flash_gives_way_to_silence() -> None:
    """As it models nothing then; with flash it is one or the other."""
    part = BOARDS["L476"].part
    silence = Silence.parse(["QUADSPI"], {}, chips.load(part))
    twin = Twin(part, silence=silence)
    twin.flash_load(0x08000000, firmware(quadspi("L476", "Q_CCR = 0x06 | I1; OUT[0] = Q_CCR;"), part))
    twin.power_on()
    finish(twin)
    assert out(twin) == 0x106
    assert [block.name for block in twin.silent] == ["QUADSPI"]
    with pytest.raises(TwinError, match="QUADSPI has flash chips at it, and a model of yours or silence"):
        Twin(part, silence=silence, external=[BOARDS["L476"].external()])
