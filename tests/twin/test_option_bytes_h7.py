"""Option bytes of STM32H7, programmed by firmware in the order of a HAL: with one core (RM0433) and two (RM0399).
Addresses, keys and fields are typed from the chapters on FLASH of both, registers FLASH_OPTCR to FLASH_BOOT4_PRG."""

from __future__ import annotations

from pathlib import Path

import pytest

from spboot.errors import TwinError
from spboot.twin import Twin
from spboot.twin.host import state as states

from .conftest import done, finish, firmware, out, twin_of

ONE, TWO = "STM32H743ZI", "STM32H745XI"
BOTH = pytest.mark.parametrize("part", [ONE, TWO])
NAMES = """
#define OPTKEYR REG(0x52002008)
#define OPTCR REG(0x52002018)
#define OPTSR_CUR REG(0x5200201c)
#define OPTSR_PRG REG(0x52002020)
#define OPTCCR REG(0x52002024)
#define PRAR_CUR(bank) REG(0x52001f28 + 0x100 * (bank))
#define PRAR_PRG(bank) REG(0x52001f2c + 0x100 * (bank))
#define SCAR_PRG(bank) REG(0x52001f34 + 0x100 * (bank))
#define WPSN_CUR(bank) REG(0x52001f38 + 0x100 * (bank))
#define WPSN_PRG(bank) REG(0x52001f3c + 0x100 * (bank))
#define BOOT_CUR REG(0x52002040)
#define BOOT_PRG REG(0x52002044)
#define BOOT4_CUR REG(0x52002048)
#define BOOT4_PRG REG(0x5200204c)
#define WRPERR2 (FLASH_SR2 >> 17 & 1)
static inline void open_(void) { if (OPTCR & 1) { OPTKEYR = 0x08192a3b; OPTKEYR = 0x4c5d6e7f; } }
static inline void idle(void) { while (FLASH_SR1 & 4) {} while (FLASH_SR2 & 4) {} }
static inline uint32_t launch(void) { while ((FLASH_SR1 | FLASH_SR2) & 8) {} OPTCR |= 2; while (OPTSR_CUR & 1) {}
    uint32_t failed = OPTSR_CUR >> 30 & 1; if (failed) OPTCCR |= 1u << 30; return failed; }
static inline void lock(void) { OPTCR |= 1; }
"""


def run(part: str, code: str, options: dict[str, int] | None = None, seconds: float = 5) -> Twin:
    """A twin on which *code* ran, with *options* from the factory."""
    twin = Twin(part)
    twin.flash_load(0x08000000, firmware(f"{NAMES}void main_(void) {{ {code} }}", part))
    twin.flash_controller.options.update(options or {})
    twin.power_on()
    finish(twin, seconds)
    return twin


def refused(part: str, code: str, message: str, options: dict[str, int] | None = None) -> None:
    with pytest.raises(TwinError, match=message):
        run(part, code, options)


@BOTH
def test_a_sector_is_protected_at_once(part: str) -> None:
    """FLASH_WPSN_PRG2: bit 4 at 0 protects sector 4 of bank 2, without a reset; the other bank and sector are free."""
    tries = "unlock(); erase(4); OUT[3] = WRPERR2; FLASH_CCR2 = 1u << 17; erase(5); OUT[4] = WRPERR2;"
    twin = run(
        part,
        f"""open_(); idle(); WPSN_PRG(2) &= ~0x10u; OUT[0] = WPSN_CUR(2); OUT[1] = launch(); lock();
        OUT[2] = WPSN_CUR(2); OUT[5] = WPSN_CUR(1); OUT[6] = OPTCR; {tries}""",
    )
    assert [out(twin, n) for n in range(7)] == [0xFF, 0, 0xEF, 1, 0, 0xFF, 1]
    assert twin.flash_controller.stored_options()["BANK1_WPSN_CURR"] == 0xEF
    twin.power_on()
    assert twin.flash_controller.registers["BANK1_WPSN_CURR"] == 0xEF


@BOTH
def test_user_bits_and_boot_addresses(part: str) -> None:
    """FLASH_OPTSR_PRG: BOR_LEV in bits 3:2, IWDG1_SW bit 4; FLASH_BOOT_PRG: BOOT_ADD0 in the lower half.  Reserved bits
    stay."""
    twin = run(
        part,
        """open_(); OUT[0] = OPTSR_CUR; OPTSR_PRG = (OPTSR_PRG & ~0xcu) | 8; BOOT_PRG = (BOOT_PRG & ~0xffffu) | 0x0810;
        OUT[1] = OPTSR_CUR ^ OUT[0]; OUT[2] = launch(); OUT[3] = OPTSR_CUR; OUT[4] = BOOT_CUR; OUT[5] = OPTSR_PRG;""",
    )
    was = out(twin, 0)
    assert [out(twin, n) for n in range(1, 6)] == [0, 0, was & ~0xC | 8, 0x1FF00810, was & ~0xC | 8]


def test_the_second_core_has_its_own() -> None:
    """RM0399, FLASH_BOOT4_PRG and BCM4, bit 22 of FLASH_OPTSR_PRG; RM0433 has neither."""
    code = "open_(); BOOT4_PRG = 0x10000820; OPTSR_PRG &= ~(1u << 22); OUT[0] = launch(); OUT[1] = BOOT4_CUR;"
    twin = run(TWO, code + " OUT[2] = OPTSR_CUR >> 22 & 1;")
    assert [out(twin, n) for n in range(3)] == [0, 0x10000820, 0]
    refused(ONE, "BOOT4_PRG = 0;", "FLASH has no register at offset 0x4c")
    twin = run(ONE, "open_(); OPTSR_PRG &= ~(1u << 22); launch(); OUT[0] = OPTSR_CUR >> 22 & 1;")
    assert out(twin) == 1, "reserved there"


@BOTH
def test_a_change_keeps_both_banks_busy(part: str) -> None:
    """OPT_BUSY, BSY and QW of both banks, as code in RAM sees them; CUR is what it was until the end, and a write to a
    register waits for it."""
    body = """OPTKEYR = 0x08192a3b; OPTKEYR = 0x4c5d6e7f; WPSN_PRG(1) = 0x7f; OPTCR |= 2; OUT[0] = OPTSR_CUR & 1;
        OUT[1] = FLASH_SR1 & 5; OUT[2] = FLASH_SR2 & 5; OUT[3] = WPSN_CUR(1); OUT[4] = OPTCR; WPSN_PRG(1) = 0x3f;
        OUT[5] = OPTSR_CUR & 1; OUT[6] = WPSN_CUR(1); OUT[7] = OPTCR; DONE = 1; for (;;) {}"""
    twin = twin_of(f"{NAMES}static void work(void) {{ {body} }}\nvoid main_(void) {{ in_ram(work); }}", part)
    finish(twin, 5)
    assert [out(twin, n) for n in range(8)] == [1, 5, 5, 0xFF, 2, 0, 0x7F, 0]
    assert 0.9 < twin.time < 1.2


@BOTH
def test_a_reset_before_the_end_leaves_what_was(part: str) -> None:
    body = "OPTKEYR = 0x08192a3b; OPTKEYR = 0x4c5d6e7f; WPSN_PRG(1) = 0x7f; OPTCR |= 2; DONE = 1; for (;;) {}"
    twin = twin_of(f"{NAMES}static void work(void) {{ {body} }}\nvoid main_(void) {{ in_ram(work); }}", part)
    finish(twin, 5)
    twin.reset()
    twin.run(until=lambda: False, seconds=0.0005)
    assert twin.flash_controller.options["BANK0_WPSN_CURR"] == 0xFF
    assert twin.flash_controller.registers["BANK0_WPSN_PRGR"] == 0xFF


def test_what_was_not_started_is_forgotten_at_a_reset() -> None:
    twin = run(TWO, "open_(); WPSN_PRG(1) = 0;")
    twin.reset()
    assert twin.flash_controller.registers["BANK0_WPSN_PRGR"] == 0xFF
    assert twin.flash_controller.registers["OPTCR"] == 1


@pytest.mark.parametrize("wrong", ["1", "one; OPTKEYR = 1", "two; OPTKEYR = one", "one; OPTKEYR = one"])
@BOTH
def test_a_wrong_key_locks_until_reset(part: str, wrong: str) -> None:
    """RM0399 4.5.1: any wrong sequence, by a bus error."""
    source = f"""{NAMES}void hard(void) {{ OUT[1]++; }}
        enum {{ one = 0x08192a3b, two = 0x4c5d6e7f }};
        void main_(void) {{ if (OUT[2] != 7) {{ OUT[1] = 0; OPTKEYR = {wrong}; }} OUT[2] = OUT[2] == 7 ? 8 : 7;
            OPTKEYR = one; OPTKEYR = two; OUT[0] = OPTCR & 1; }}"""
    twin = twin_of(source, part)
    finish(twin)
    assert (out(twin, 0), out(twin, 1) > 0) == (1, True)
    twin.reset()
    twin.run(seconds=0.01)
    assert (out(twin, 0), out(twin, 2)) == (0, 8)


# areas and read protection


@BOTH
def test_an_area_stays_until_level_1_is_left(part: str) -> None:
    """FLASH_PRAR_PRG2: from START to END, active at once; taken away it is a change error, and nothing changes.  Bits
    that are set with it, as DMEP, count."""
    twin = run(
        part,
        """open_(); PRAR_PRG(2) = 0x09ff0800; OUT[0] = launch(); unlock(); erase(4); OUT[1] = WRPERR2;
        PRAR_PRG(2) = 0xff; WPSN_PRG(1) = 0; OUT[2] = launch(); OUT[3] = PRAR_CUR(2); OUT[4] = WPSN_CUR(1);
        WPSN_PRG(1) = 0xff; PRAR_PRG(2) = 0x89ff0800; OUT[5] = launch(); OUT[6] = PRAR_CUR(2);""",
    )
    assert [out(twin, n) for n in range(7)] == [0, 1, 1, 0x09FF0800, 0xFF, 0, 0x89FF0800]


def test_a_change_error_interrupts_and_has_to_be_cleared() -> None:
    """OPTCHANGEERRIE, bit 30 of FLASH_OPTCR; interrupt 4 (RM0399, vector table); OPTSTART does nothing before
    FLASH_OPTCCR cleared the flag."""
    code = """void irq(void) { OUT[0]++; OUT[1] = OPTSR_CUR >> 30 & 1; OPTCCR = 1u << 30;
        OUT[2] = OPTSR_CUR >> 30 & 1; }
        void main_(void) { REG(0xe000e100) = 1 << 4; open_(); SCAR_PRG(1) = 0xff; OPTCR = 1u << 30 | 2;
        for (volatile int i = 0; i < 9; i++) {} }"""
    twin = Twin(TWO)
    twin.flash_load(0x08000000, firmware(NAMES + code, TWO))
    twin.flash_controller.options["BANK0_SCAR_CUR"] = 0x00FF0010
    twin.power_on(ram_fill=0)
    finish(twin)
    assert [out(twin, n) for n in range(3)] == [1, 1, 0]
    twice = "open_(); SCAR_PRG(1) = 0xff; OPTCR |= 2; OPTCR |= 2;"
    refused(TWO, twice, "OPTSTART set while OPTCHANGEERR is set", {"BANK0_SCAR_CUR": 0x00FF0010})


@BOTH
def test_from_level_1_to_level_0_all_is_erased(part: str) -> None:
    """Read protection: code in RAM sees the end of it; an area with DMEP goes, too.  Both banks of 1 MB at once take
    5 s (DS13313 table 44), the option bytes a sector's 1 s more."""
    body = """OPTKEYR = 0x08192a3b; OPTKEYR = 0x4c5d6e7f; OPTSR_PRG = (OPTSR_PRG & ~0xff00u) | 0xaa00;
        PRAR_PRG(1) = 0x800000ff; OPTCR |= 2; while (OPTSR_CUR & 1) {} OUT[0] = OPTSR_CUR >> 8 & 0xff;
        OUT[1] = PRAR_CUR(1); DONE = 1; for (;;) {}"""
    twin = twin_of(f"{NAMES}static void work(void) {{ {body} }}\nvoid main_(void) {{ in_ram(work); }}", part)
    twin.flash_controller.options.update(OPTSR_CUR=0x1BC655F0, BANK0_PRAR_CUR=0x80FF0010)
    twin.power_on()
    finish(twin, 20)
    flash = twin.flash
    assert twin.flash_read(flash.address, flash.size) == b"\xff" * flash.size
    assert sum(op.size for op in twin.log if op.kind == "erase") == flash.banks * flash.bank_size
    assert [out(twin, n) for n in range(2)] == [0xAA, 0x800000FF]
    assert 5.9 < twin.time < 6.2


def rdp(level: int) -> str:
    change = f"open_(); OPTSR_PRG = (OPTSR_PRG & ~0xff00u) | {level:#x}00; OUT[0] = launch();"
    return f"{change} OUT[1] = OPTSR_CUR >> 8 & 0xff;"


@BOTH
def test_levels_that_rise(part: str) -> None:
    """0 to 1 erases nothing; level 2 is for ever."""
    twin = run(part, rdp(0x55))
    assert ([op.kind for op in twin.log], out(twin, 0), out(twin, 1)) == (["options"], 0, 0x55)
    assert out(run(part, rdp(0xCC)), 1) == 0xCC
    refused(part, rdp(0x55), "changed at read protection level 2", {"OPTSR_CUR": 0x1BC6CCF0})


REFUSED = {
    "control-while-locked": ("OPTCR = 2;", r"FLASH_OPTCR written \(0x2\) while OPTLOCK is set"),
    "bytes-while-locked": ("WPSN_PRG(1) = 0;", "FLASH_BANK0_WPSN_PRGR written .* while OPTLOCK is set"),
    "what-counts": ("WPSN_CUR(1) = 0;", "FLASH_BANK0_WPSN_CURR is read-only"),
    "start-and-lock": ("open_(); OPTCR |= 3;", "OPTSTART set together with OPTLOCK"),
    "mass-erase": ("open_(); OPTCR |= 0x10;", "FLASH_OPTCR = 0x10: mass erase"),
    "swapped-banks": ("open_(); OPTCR |= 1u << 31;", "or another SWAP_BANK"),
    "swapped-after-a-reset": ("open_(); OPTSR_PRG |= 1u << 31; launch();", "SWAP_BANK_OPT was changed"),
    "security": ("open_(); OPTSR_PRG |= 1u << 21; launch();", "SECURITY was changed.*secure access mode"),
    "a-larger-area": (
        "open_(); PRAR_PRG(2) = 0x09ff0900; launch(); PRAR_PRG(2) = 0x0aff0900; launch();",
        "FLASH_BANK1_PRAR_CUR was made larger",
    ),
}


@pytest.mark.parametrize(("code", "message"), REFUSED.values(), ids=REFUSED.keys())
@BOTH
def test_refused(part: str, code: str, message: str) -> None:
    refused(part, code, message)


def test_an_area_that_would_stay_is_refused() -> None:
    """FLASH_PRAR_CUR1, DMEP: without it the area outlives the erase."""
    options = {"OPTSR_CUR": 0x1BC655F0, "BANK0_PRAR_CUR": 0x00FF0010}
    refused(TWO, rdp(0xAA), "FLASH_BANK0_PRAR_CUR that is not to be erased", options)


def test_lenient_code_goes_on() -> None:
    """What silicon ignores: OPTSTART with OPTLOCK locks, and a register of what counts stays."""
    twin = twin_of(
        f"{NAMES}void main_(void) {{ open_(); WPSN_CUR(1) = 0; OPTCR |= 3; OUT[0] = OPTCR; OUT[1] = WPSN_CUR(1); }}",
        TWO,
    )
    twin.strict = "none"
    finish(twin)
    assert [out(twin, n) for n in range(2)] == [1, 0xFF]
    assert len(twin.warnings) == 2


def test_they_are_kept(tmp_path: Path) -> None:
    """By a state file, and by a snapshot in the middle of a change."""
    body = "OPTKEYR = 0x08192a3b; OPTKEYR = 0x4c5d6e7f; WPSN_PRG(1) = 0x7f; OPTCR |= 2; OUT[0] = 1;"
    body += " while (OPTSR_CUR & 1) {}"
    source = f"{NAMES}static void work(void) {{ {body} DONE = 1; for (;;) {{}} }}\nvoid main_(void) {{ in_ram(work); }}"
    twin, other = twin_of(source, TWO), twin_of(source, TWO)
    assert twin.run(until=lambda: out(twin) == 1, seconds=1)
    assert not done(twin)
    other.restore(twin.snapshot())
    finish(other, 5)
    assert other.flash_controller.registers["BANK0_WPSN_CURR"] == 0x7F
    states.save(other, tmp_path / "state")
    third = Twin(TWO)
    states.load(third, tmp_path / "state")
    third.power_on()
    assert third.flash_controller.registers["BANK0_WPSN_CURR"] == 0x7F


def test_options_that_a_state_file_does_not_know_are_those_of_the_factory(tmp_path: Path) -> None:
    """As in one of an earlier spboot; those that this part does not have, as BOOT4 of the second core, are left."""
    path, code = tmp_path / "state", "OUT[0] = OPTSR_CUR; OUT[1] = WPSN_CUR(1); OUT[2] = WPSN_CUR(2);"
    twin = run(ONE, "")
    twin.flash_controller.options.update(BANK0_WPSN_CURR=0xEF, BOOT4_CUR=0)
    del twin.flash_controller.options["BANK1_WPSN_CURR"]
    states.save(twin, path)
    other = Twin(ONE)
    states.load(other, path)
    other.flash_load(0x08000000, firmware(f"{NAMES}void main_(void) {{ {code} }}", ONE))
    other.power_on()
    finish(other)
    assert [out(other, n) for n in range(3)] == [0x1BC6AAF0, 0xEF, 0xFF]
    assert "BOOT4_CUR" not in other.flash_controller.options
    data = path.read_bytes()
    end = 10 + int.from_bytes(data[6:10], "little")
    head = data[10:end].replace(b'"options": {', b'"options": 1, "others": {')
    path.write_bytes(data[:6] + len(head).to_bytes(4, "little") + head + data[end:])
    with pytest.raises(TwinError, match="not a state file"):
        states.load(Twin(ONE), path)
