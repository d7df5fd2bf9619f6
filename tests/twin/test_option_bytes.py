"""Option bytes programmed by firmware: keys, what counts when, read protection.  Addresses and keys are typed from the
manuals: RM0090 3.7 and 3.9, RM0410 3.4 and 3.7, RM0431 3.7.8, RM0367 3.3.4, 3.4.4, 3.7 and 3.8, RM0351 3.4."""

from __future__ import annotations

from pathlib import Path

import pytest

from spboot.errors import TwinError
from spboot.twin import Twin
from spboot.twin.host import state as states

from .conftest import finish, firmware, out, twin_of

F4, F7, F7_SMALL, L0, L4 = "STM32F429ZI", "STM32F769NI", "STM32F722RE", "STM32L073RZ", "STM32L476RG"
SECTORS = "#define OPTKEYR REG(0x40023c08)\n#define OPTCR REG(0x40023c14)\n#define OPTCR1 REG(0x40023c18)\n"
KEYS = "OPTKEYR = 0x08192a3b; OPTKEYR = 0x4c5d6e7f;"
WAIT = "while (FLASH_SR & 1u << 16) {}"
L0_WORDS = "#define OPTKEYR REG(0x40022014)\n#define OPTION(n) REG(0x1ff80000 + 4 * (n))\n"
L0_KEYS = "unlock(); OPTKEYR = 0xfbead9c8; OPTKEYR = 0x24252627; FLASH_PECR &= ~(PROG | ERASE | FPRG);"
WRPERR = 16
OPTION_BYTES = {F4: 0x1FFFC000, F7: 0x1FFF0000}


def run(part: str, code: str, seconds: float = 20, options: dict[str, int] | None = None) -> Twin:
    """A twin on which *code* ran, with *options* from the factory."""
    twin = Twin(part)
    prefix = L0_WORDS if part == L0 else SECTORS
    twin.flash_load(0x08000000, firmware(f"{prefix}void main_(void) {{ {code} }}", part))
    twin.flash_controller.options.update(options or {})
    twin.power_on()
    finish(twin, seconds)
    return twin


def refused(part: str, code: str, message: str, options: dict[str, int] | None = None) -> None:
    with pytest.raises(TwinError, match=message):
        run(part, code, options=options)


@pytest.mark.parametrize("part", [F4, F7])
def test_option_registers_take_bytes(part: str) -> None:
    """RM0090 3.9.10, RM0410 3.7.6: word, half-word and byte access.  Drivers write the brown-out level so."""
    low = "(*(volatile unsigned char *)0x40023c14)"
    code = f"{KEYS} OUT[0] = OPTCR; {low} = {low} & ~0xc | 4; {low} |= 2; {WAIT} {low} |= 1; OUT[1] = OPTCR;"
    twin = run(part, code)
    assert out(twin, 1) == (out(twin, 0) & ~0xC | 4) | 1
    assert twin.flash_controller.stored_options()["OPTCR"] == out(twin, 1)


PROTECTED = {F4: 0x0FFBAAED, F7: 0xFFFBAAFD, F7_SMALL: 0xC0FBAAFD}
"""FLASH_OPTCR with nWRP2 at 0: sector 2 is protected."""


@pytest.mark.parametrize("part", PROTECTED)
def test_sectors_are_protected_by_firmware(part: str) -> None:
    """RM0090 3.7.2, 3.7.4; RM0410 3.4.2: keys, OPTCR, OPTSTRT, BSY; sector 2 then answers WRPERR, at once and after a
    reset, and the others do not."""
    value = PROTECTED[part]
    tries = "unlock();" + "".join(
        f"FLASH_CR = 2 | {2 + i} << 3 | X32; FLASH_CR |= 1u << 16; {WAIT} OUT[{i}] = FLASH_SR & 0xf0; FLASH_SR = 0xf0;"
        for i in range(2)
    )
    tries += "OUT[2] = OPTCR;"
    code = f"{KEYS} OPTCR = {value & ~1:#x}; OPTCR = {value & ~1 | 2:#x}; {WAIT} OPTCR |= 1; {tries}"
    twin = run(part, code)
    assert [out(twin, i) for i in range(3)] == [WRPERR, 0, value]
    twin.flash_load(0x08000000, firmware(f"{SECTORS}void main_(void) {{ {tries} }}", part))
    twin.reset()
    finish(twin, 20)
    assert [out(twin, i) for i in range(3)] == [WRPERR, 0, value]


@pytest.mark.parametrize("part", [F4, F7])
def test_programming_takes_the_time_of_a_small_sector(part: str) -> None:
    """RM0090 3.7.2: the sector of the option bytes is erased, then programmed; 400 ms at x8, as the
    smallest sector of DS9405 table 48: it has none for option bytes."""
    twin = run(part, f"{KEYS} OPTCR = OPTCR & ~3u; OPTCR |= 2; OUT[0] = OPTCR;")
    assert twin.time == pytest.approx(0.4, rel=0.01)
    assert not out(twin) & 2


def test_what_was_not_started_is_forgotten_at_a_reset() -> None:
    twin = run(F4, f"{KEYS} OPTCR = 0x0ffbaaec; OUT[0] = OPTCR;")
    assert out(twin) == 0x0FFBAAEC
    twin.power_on()
    assert twin.flash_controller.registers["OPTCR"] == 0x0FFFAAED


def test_bank_2_of_f4_and_boot_addresses_of_f7() -> None:
    """RM0090 3.9.11: nWRP of bank 2; RM0410 3.7.7: BOOT_ADD0 and BOOT_ADD1."""
    twin = run(
        F4, f"{KEYS} OPTCR1 = 0x0ffe0000; OPTCR = (OPTCR & ~1u) | 2; {WAIT} unlock(); erase(16); OUT[0] = FLASH_SR;"
    )
    assert out(twin) == WRPERR
    twin = run(F7, f"{KEYS} OPTCR1 = 0x00400082; OPTCR = (OPTCR & ~1u) | 2; {WAIT}")
    twin.power_on()
    assert twin.flash_controller.registers["OPTCR1"] == 0x00400082


@pytest.mark.parametrize("wrong", ["1", "first; OPTKEYR = 1", "second; OPTKEYR = first", "first; OPTKEYR = first"])
@pytest.mark.parametrize("part", [F4, F7])
def test_a_wrong_key_locks_until_reset(part: str, wrong: str) -> None:
    """RM0090 3.7.2: any wrong sequence, by a bus error."""
    source = f"""{SECTORS}void hard(void) {{ OUT[1]++; }}
        enum {{ first = 0x08192a3b, second = 0x4c5d6e7f }};
        void main_(void) {{ if (OUT[2] != 7) {{ OUT[1] = 0; OPTKEYR = {wrong}; }} OUT[2] = OUT[2] == 7 ? 8 : 7;
            {KEYS} OUT[0] = OPTCR & 1; }}"""
    twin = twin_of(source, part)
    finish(twin)
    assert (out(twin, 0), out(twin, 1) > 0) == (1, True)
    twin.reset()
    twin.run(seconds=0.01)
    assert (out(twin, 0), out(twin, 2)) == (0, 8)


@pytest.mark.parametrize("wrong", ["1", "first; OPTKEYR = 1", "second; OPTKEYR = first", "first; OPTKEYR = first", ""])
@pytest.mark.parametrize(("part", "base"), [(L4, 0x40022000), ("STM32G0B1RE", 0x40022000), ("STM32WL55JC", 0x58004000)])
def test_a_wrong_key_beside_the_lock_of_the_controller(part: str, base: int, wrong: str) -> None:
    """RM0453 4.4.2, RM0444 3.4.2, RM0351 3.4.2: any wrong sequence, by a bus error; "": the right one, while LOCK is
    set."""
    source = f"""
        #define OPTKEYR REG({base + 0xC:#x})
        #define CR REG({base + 0x14:#x})
        void hard(void) {{ OUT[1]++; }}
        enum {{ first = 0x08192a3b, second = 0x4c5d6e7f }};
        static void open_(void) {{ REG({base + 8:#x}) = 0x45670123; REG({base + 8:#x}) = 0xcdef89ab; }}
        void main_(void) {{
            if (OUT[2] == 7) {{ open_(); OPTKEYR = first; OPTKEYR = second; OUT[0] = CR >> 30; OUT[2] = 8; return; }}
            OUT[1] = 0;
            {"open_();" if wrong else ""}
            OPTKEYR = {wrong or "first; OPTKEYR = second"};
            {"" if wrong else "open_();"}
            OPTKEYR = first; OPTKEYR = second; OUT[0] = CR >> 30; OUT[2] = 7;
        }}"""
    twin = twin_of(source, part)
    finish(twin)
    assert (out(twin, 0) & 1, out(twin, 1) > 0) == (1, True)
    twin.reset()
    twin.run(seconds=0.01)
    assert (out(twin, 0) & 3, out(twin, 2)) == (0, 8)


@pytest.mark.parametrize(("part", "options"), [(F4, {"OPTCR": 0x0FFF55ED}), (F7, {"OPTCR": 0xFFFF55FD})])
def test_from_level_1_to_level_0_all_is_erased(part: str, options: dict[str, int]) -> None:
    """RM0090 3.7.3, RM0410 3.5.1: read protection; code in RAM sees the end of it."""
    body = f"{KEYS} OPTCR = (OPTCR & 0xffff00fcu) | 0xaa00; OPTCR |= 2; {WAIT} DONE = 1; for (;;) {{}}"
    twin = twin_of(f"{SECTORS}static void work(void) {{ {body} }}\nvoid main_(void) {{ in_ram(work); }}", part)
    twin.flash_controller.options.update(options)
    twin.power_on()
    finish(twin, 60)
    flash = twin.flash
    assert twin.flash_read(flash.address, flash.size) == b"\xff" * flash.size
    assert [(op.kind, op.address) for op in twin.log] == [("erase", flash.address), ("options", OPTION_BYTES[part])]
    assert twin.log[0].size == flash.size
    assert twin.flash_controller.options["OPTCR"] >> 8 & 0xFF == 0xAA


@pytest.mark.parametrize("part", [F4, F7])
def test_levels_that_rise(part: str) -> None:
    """0 to 1 erases nothing; level 2 is for ever."""
    codes = {
        level: f"{KEYS} OPTCR = (OPTCR & 0xffff00fcu) | {level << 8}; OPTCR |= 2; {WAIT}" for level in (0x55, 0xCC)
    }
    twin = run(part, codes[0x55])
    assert [op.kind for op in twin.log] == ["options"]
    assert run(part, codes[0xCC]).flash_controller.options["OPTCR"] >> 8 & 0xFF == 0xCC
    at_two = {"OPTCR": (0x0FFF00ED if part == F4 else 0xFFFF00FD) | 0xCC00}
    refused(part, codes[0x55], "changed at read protection level 2", at_two)


def test_refusals_of_f4() -> None:
    refused(F4, "OPTCR = 0x0ffbaaec;", "FLASH_OPTCR written .* while OPTLOCK is set")
    refused(F4, "OPTCR1 = 0x0ffb0000;", "FLASH_OPTCR1 written .* while OPTLOCK is set")
    refused(F4, f"{KEYS} OPTCR |= 3;", "OPTSTRT set together with OPTLOCK")
    refused(F7, f"{KEYS} REG(0x40023c1c) = 0x80000001;", "OPTCR2 written")


def test_protection_from_reading_is_kept_until_level_1_is_left() -> None:
    """RM0090 3.7.5: SPRMOD, or a bit of an active sector, is not taken back: WRPERR, and nothing changes."""
    active = {"OPTCR": 0x8004AAED}
    for value in (0x0004AAEC, 0x8000AAEC):
        twin = run(
            F4, f"{KEYS} OPTCR = {value:#x}; OPTCR |= 2; {WAIT} OUT[0] = FLASH_SR; OUT[1] = OPTCR;", options=active
        )
        assert (out(twin, 0), out(twin, 1) | 1) == (WRPERR, 0x8004AAED)
    twin = run(F4, f"{KEYS} OPTCR = 0x800caaec; OPTCR |= 2; {WAIT} OUT[0] = FLASH_SR;", options=active)
    assert out(twin) == 0
    twin = run(F7_SMALL, f"{KEYS} REG(0x40023c1c) = 0x80000000; OPTCR = (OPTCR & ~1u) | 2; {WAIT} OUT[0] = FLASH_SR;",
               options={"OPTCR2": 0x80000004})  # fmt: skip
    assert out(twin) == WRPERR


# STM32L0: words of 16 bits and their complement, stored to where they are


def word(half: int) -> str:
    return f"{(half ^ 0xFFFF) << 16 | half:#010x}"


def test_l0_protects_sectors_at_the_next_launch() -> None:
    """RM0367 3.4.2, 3.8: bit 0 of the third word is sector 0, that of the fifth one sector 32; loaded by OBL_LAUNCH."""
    check = "unlock(); program(0x08020000, 1); OUT[0] = FLASH_SR >> 8 & 1;"
    check += " OUT[1] = REG(0x40022020); OUT[2] = REG(0x40022080);"
    code = f"""if (OUT[8] != 77) {{ OUT[8] = 77; {L0_KEYS} OPTION(2) = {word(2)}; while (FLASH_SR & BUSY) {{}}
        OPTION(4) = {word(1)}; while (FLASH_SR & BUSY) {{}} OUT[9] = REG(0x40022020); OUT[10] = OPTION(2);
        FLASH_PECR |= 1u << 18; for (;;) {{}} }} {check}"""
    twin = run(L0, code)
    assert [out(twin, i) for i in (0, 1, 2, 9)] == [1, 2, 1, 0]
    assert out(twin, 10) == int(word(2), 16)
    assert twin.flash_controller.options["WRPROT2"] == 1


def test_l0_words_take_an_erase_and_a_program() -> None:
    """DS10685 table 53: 3.28 ms each."""
    twin = run(L0, f"{L0_KEYS} OPTION(2) = {word(2)}; while (FLASH_SR & BUSY) {{}}")
    assert twin.log.busy_ps == pytest.approx(6.56e9)


def test_l0_locks() -> None:
    """RM0367 3.3.4: WRPERR without the keys; PELOCK first; SIZERR for less than a word."""
    code = f"OPTION(2) = {word(2)}; OUT[0] = FLASH_SR >> 8 & 1; FLASH_SR = 1u << 8;"
    twin = run(L0, code)
    assert out(twin) == 1
    assert twin.flash_controller.stored_options()["WRPROT"] == 0
    twin = run(L0, f"unlock(); FLASH_PECR &= ~(PROG | ERASE | FPRG); {code}")
    assert (out(twin), twin.flash_controller.stored_options()["WRPROT"]) == (1, 0)
    twin = run(L0, f"{L0_KEYS} HALF(0x1ff80008) = 2; OUT[0] = FLASH_SR >> 10 & 1;")
    assert out(twin) == 1
    refused(L0, f"{L0_KEYS} OPTION(2) = 0x00020002;", "upper half is not the complement")
    refused(L0, f"{L0_KEYS} FLASH_PECR |= PROG; OPTION(2) = {word(2)};", "option bytes with PROG")
    refused(L0, "unlock(); FLASH_PECR |= 1u << 18;", "OBL_LAUNCH set while OPTLOCK")


def test_l0_from_level_1_to_level_0() -> None:
    """RM0367 3.4.4: all is erased, and WPRMOD goes with it."""
    body = (
        "FLASH_PEKEYR = 0x89abcdef; FLASH_PEKEYR = 0x02030405; OPTKEYR = 0xfbead9c8; OPTKEYR = 0x24252627;"
        f" OPTION(0) = {word(0x01AA)}; while (FLASH_SR & BUSY) {{}} DONE = 1; for (;;) {{}}"
    )
    twin = twin_of(f"{L0_WORDS}static void work(void) {{ {body} }}\nvoid main_(void) {{ in_ram(work); }}", L0)
    twin.flash_controller.options.update(OPTR=0x80700155, WRPROT=0xFFFFFFFF, WRPROT2=0xFFFF)
    twin.power_on()
    finish(twin, 5)
    assert twin.flash_read(twin.flash.address, twin.flash.size) == bytes(twin.flash.size)
    assert twin.flash_controller.stored_options()["OPTR"] == 0x807000AA


def test_l0_protection_from_reading_is_kept() -> None:
    active = {"OPTR": 0x807001AA, "WRPROT": 0xFFFFFFFE, "WRPROT2": 0xFFFF}
    refused(L0, f"{L0_KEYS} OPTION(0) = {word(0x00AA)};", "take protection from reading away", active)
    refused(L0, f"{L0_KEYS} OPTION(2) = {word(0xFFFF)};", "take protection from reading away", active)
    twin = run(L0, f"{L0_KEYS} OPTION(2) = {word(0xFFFC)};", options=active)
    assert twin.flash_controller.stored_options()["WRPROT"] == 0xFFFFFFFC
    refused(L0, f"{L0_KEYS} OPTION(0) = {word(0x00AA)};", "changed at read protection level 2", {"OPTR": 0x807000CC})


def test_l4_from_level_1_to_level_0() -> None:
    """RM0351 3.5.1: the same on the families with double words."""
    body = (
        "FLASH_KEYR = 0x45670123; FLASH_KEYR = 0xcdef89ab; REG(0x4002200c) = 0x08192a3b; REG(0x4002200c) = 0x4c5d6e7f;"
        " REG(0x40022020) = 0xffeff8aa; FLASH_CR = 1u << 17; while (FLASH_SR & BUSY) {} DONE = 1; for (;;) {}"
    )
    twin = twin_of(f"static void work(void) {{ {body} }}\nvoid main_(void) {{ in_ram(work); }}", L4)
    twin.flash_controller.options["OPTR"] = 0xFFEFF855
    twin.power_on()
    finish(twin, 5)
    assert twin.flash_read(twin.flash.address, twin.flash.size) == b"\xff" * twin.flash.size
    assert [op.kind for op in twin.log] == ["erase", "options"]


def test_they_are_kept(tmp_path: Path) -> None:
    """By a snapshot, and by a state file, where the reset that loads them is still to come."""
    twin = run(L0, f"{L0_KEYS} OPTION(2) = {word(2)};")
    snapshot = twin.snapshot()
    states.save(twin, tmp_path / "state")
    twin.power_on()
    assert twin.flash_controller.registers["WRPROT"] == 2
    twin.restore(snapshot)
    assert twin.flash_controller.registers["WRPROT"] == 0
    twin.power_on()
    assert twin.flash_controller.registers["WRPROT"] == 2
    other = Twin(L0)
    states.load(other, tmp_path / "state")
    other.power_on()
    assert other.flash_controller.registers["WRPROT"] == 2
