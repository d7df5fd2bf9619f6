"""STM32H745 on the twin: each misuse and what RM0399 says about it, by section."""

from __future__ import annotations

import io

import pytest
from elftools.elf.elffile import ELFFile

from spboot.errors import TwinError
from spboot.twin import Cut, PowerCut, Twin

from .conftest import build, finish, out, twin_of

PART = "STM32H745XI"
FREE = 0x08180000
"""Sector 4 of bank 2."""


def make(code: str) -> Twin:
    return twin_of(code, PART)


PG = "FLASH_CR2 = 2 | X64;"
SWITCH = "RCC_CFGR = 3; while ((RCC_CFGR & 0x38) != 0x18) {}"

REFUSED = {
    "9.7.41-clock-off": ("USART3_CR1 = 1;", "clock of USART3 is off.*bit 18 of RCC_APB1LENR"),
    "9.7.38-gpio-clock-off": ("GPIOA_MODER = 0;", "GPIOA_MODER accessed while the clock"),
    "2.3-no-such-block": ("REG(0x40001c00) = 1;", "where the twin has no block"),
    "4.9-no-such-register": ("(void)REG(0x52002068);", "FLASH has no register at offset 0x68"),
    "4.3.8-latency": (
        f"scale_1(); pll_400mhz(); FLASH_ACR = 0x21; buses(); {SWITCH}",
        "AXI 200 MHz with 1 wait states at VOS 3",
    ),
    "4.3.8-programming-delay": (
        f"scale_1(); pll_400mhz(); FLASH_ACR = 0x12; buses(); {SWITCH}",
        "AXI 200 MHz with WRHIGHFREQ 1 at VOS 3.*to 2",
    ),
    "7.6.2-voltage-scale": (f"pll_400mhz(); buses(); {SWITCH}", "400 MHz at a voltage for 200 MHz"),
    "7.6.2-voltage-not-settled": (
        f"pll_400mhz(); buses(); PWR_D3CR = 3 << 14; {SWITCH}",
        "400 MHz at a voltage for 400 MHz.*VOSRDY",
    ),
    "9.5.6-axi-too-fast": (f"scale_1(); pll_400mhz(); {SWITCH}", "AXI at 400 MHz|AXI 400 MHz"),
    "9.5.6-apb-too-fast": (
        f"scale_1(); pll_400mhz(); buses(); RCC_D2CFGR = 4 << 8; {SWITCH}",
        "APB at 200 MHz.*D2PPRE1",
    ),
    "7.8.7-vos": ("PWR_D3CR = 0;", "VOS = 0"),
    "9.7.10-pll-changed-while-on": ("pll_400mhz(); RCC_PLL1DIVR = 99 | 1 << 9;", "PLLDIVR0 changed while PLL1 is on"),
    "9.7.10-pll-vco": (
        "RCC_PLLCKSELR = 16 << 4; RCC_PLLCFGR = 2 << 2 | 1 << 16; RCC_PLL1DIVR = 299 | 1 << 9; RCC_CR |= 1u << 24;",
        "VCO 1200 MHz",
    ),
    "9.7.10-pll-input-range": (
        "RCC_PLLCKSELR = 16 << 4; RCC_PLLCFGR = 1 << 16; RCC_PLL1DIVR = 199 | 1 << 9; RCC_CR |= 1u << 24;",
        "input 4 MHz.*Input 1..2",
    ),
    "9.7.11-pll-output-off": (
        "scale_1(); RCC_PLLCKSELR = 16 << 4; RCC_PLLCFGR = 2 << 2; RCC_PLL1DIVR = 199 | 1 << 9; RCC_CR |= 1u << 24;"
        f" while (!(RCC_CR & 1u << 25)) {{}} buses(); {SWITCH}",
        "DIVP1EN clear",
    ),
    "4.5.1-locked": ("FLASH_CR1 = 2 | X64;", "FLASH_CR1 written .* while locked.*FLASH_KEYR1"),
    "4.5.1-the-other-bank-is-locked": (
        "FLASH_KEYR1 = 0x45670123; FLASH_KEYR1 = 0xcdef89ab; FLASH_CR2 = 2 | X64;",
        "FLASH_CR2 written .* while locked.*FLASH_KEYR2",
    ),
    "4.9.4-reserved-bit": ("unlock(); FLASH_CR1 = 1u << 29;", "reserved bits 0x20000000"),
    "4.9.5-status-is-read-only": ("FLASH_SR1 = 0;", "BANK0_SR is read-only"),
    "4.9.7-options-locked": ("FLASH_OPTCR = 0;", "OPTLOCK"),
    "2.3-above-flash": ("unlock(); REG(0x1ff1e800) = 0;", "read-only 0x1ff1e800"),
}


@pytest.mark.parametrize(("code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_a_message_that_helps(code: str, message: str) -> None:
    twin = make(f"void main_(void) {{ {code} for (volatile int i = 0; i < 9; i++) {{}} }}")
    with pytest.raises(TwinError, match=message) as caught:
        twin.run(seconds=3)
    assert "PC 0x0800" in str(caught.value)


FLAGS = {
    "4.7.3-PGSERR-no-PG": ("REG(0x08180000) = 0;", 1 << 18),
    "4.7.3-PGSERR-PG-with-SER": ("FLASH_CR2 = 6 | X64; REG(0x08180000) = 0;", 1 << 18),
    "4.7.3-PGSERR-erase-with-PG": ("FLASH_CR2 = 0x86 | 4 << 8 | X64;", 1 << 18),
    "4.7.3-PGSERR-START-alone": ("FLASH_CR2 = 0x80 | X64;", 1 << 18),
    "4.7.4-STRBERR-same-byte-twice": (f"{PG} REG(0x08180000) = 0; REG(0x08180000) = 0;", 1 << 19 | 2),
    "4.7.5-INCERR-next-word-too-early": (f"{PG} REG(0x08180000) = 0; REG(0x08180020) = 0;", 1 << 21),
    "4.7.5-INCERR-misaligned-word": (
        f"{PG} for (uint32_t i = 0; i < 32; i += 4) REG(0x08180010 + i) = 0;", 1 << 21 | 2,
    ),
    "4.3.9-WBNE-until-the-word-is-whole": (f"{PG} for (uint32_t i = 0; i < 28; i += 4) REG(0x08180000 + i) = 0;", 2),
    "4.3.9-FW-fills-up": (f"{PG} REG(0x08180000) = 5; FLASH_CR2 = 0x42 | X64; while (FLASH_SR2 & 7) {{}}", 0),
    "4.9.6-CCR-clears": ("REG(0x08180000) = 0; FLASH_CCR2 = 1u << 18;", 0),
    "4.3.9-bytes-gather": (
        f"{PG} for (uint32_t i = 0; i < 32; i++) BYTE(0x08180000 + i) = 0; while (FLASH_SR2 & 7) {{}}", 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("code", "flags"), FLAGS.values(), ids=FLAGS.keys())
def test_flash_errors_show_in_the_status_of_the_bank(code: str, flags: int) -> None:
    twin = make(f"void main_(void) {{ unlock(); {code} OUT[0] = FLASH_SR2; OUT[1] = FLASH_SR1; }}")
    finish(twin)
    assert (out(twin), out(twin, 1)) == (flags, 0)
    assert len(twin.flash_controller.refusals) >= (flags & ~7).bit_count()


def test_what_is_refused_leaves_the_cells_and_fw_fills_up_with_ones() -> None:
    """4.3.9."""
    twin = make(f"void main_(void) {{ unlock(); REG(0x08180000) = 0; FLASH_CCR2 = 1u << 18; {PG}"
                " REG(0x08180020) = 5; FLASH_CR2 = 0x42 | X64; while (FLASH_SR2 & 7) {} }")  # fmt: skip
    finish(twin)
    assert [(op.kind, op.address, op.size) for op in twin.log] == [("program", FREE + 32, 32)]
    assert twin.flash_read(FREE, 64) == b"\xff" * 32 + b"\5\0\0\0" + b"\xff" * 28


@pytest.mark.parametrize("sector", [0, 5, 7])
def test_sectors_of_bank_2(sector: int) -> None:
    """4.3.4: eight sectors of 128 KB in each bank."""
    twin = make(f"void main_(void) {{ unlock(); erase({sector}); }}")
    finish(twin, 3)
    assert [(op.kind, op.address, op.size) for op in twin.log] == [("erase", 0x08100000 + sector * 0x20000, 0x20000)]


def test_the_other_bank_runs_on() -> None:
    """4.3.11: code in bank 1 sees BSY and QW of an erase in bank 2, and stands still for one in its own bank."""
    twin = make(
        "void main_(void) { unlock(); FLASH_CR2 = 4 | 4 << 8 | X64; FLASH_CR2 |= 0x80; OUT[0] = FLASH_SR2;"
        " while (FLASH_SR2 & 7) {} FLASH_CR1 = 4 | 4 << 8 | X64; FLASH_CR1 |= 0x80; OUT[1] = FLASH_SR1; }"
    )
    finish(twin, 3)
    assert (out(twin, 0), out(twin, 1)) == (5, 0)


PROBE = """
void hard(void) { OUT[3]++; OUT[4] = SCB_CFSR; OUT[5] = SCB_BFAR; SCB_CFSR = ~0u;
    uint32_t *frame; __asm volatile("mrs %0, msp" : "=r"(frame)); for (;;) {} }
static uint32_t probe(uint32_t address) {
    SCB_CCR |= 0x100; __asm volatile("cpsid f"); SCB_CFSR = ~0u; (void)REG(address); __asm volatile("dsb");
    uint32_t found = SCB_CFSR; SCB_CFSR = ~0u; SCB_CCR &= ~0x100u; __asm volatile("cpsie f"); return found; }
"""


def test_a_second_program_spoils_the_ecc() -> None:
    """4.3.9: silicon takes it without a flag; what then answers is a double error, 4.7.7."""
    twin = make(
        PROBE + "void main_(void) { unlock(); program(0x08180000, 0xff); OUT[0] = probe(0x08180000);"
        " program(0x08180000, 0xf); OUT[1] = probe(0x0818001c); OUT[2] = probe(0x08180020);"
        " OUT[6] = FLASH_SR2 >> 26 & 1;"
        " OUT[7] = FLASH_ECC_FA2; FLASH_CCR2 = 1u << 26; OUT[8] = FLASH_SR2 >> 26 & 1; erase(4);"
        " OUT[9] = probe(0x08180000); }"
    )
    finish(twin, 3)
    assert "its ECC is lost" in twin.flash_controller.refusals[0]
    assert (out(twin, 0), out(twin, 1), out(twin, 2)) == (0, 0x8200, 0)
    assert (out(twin, 6), out(twin, 7), out(twin, 8), out(twin, 9)) == (1, 0x80000 >> 5, 0, 0)


def _torn(source: str) -> Twin:
    twin = make(source + "void main_(void) { OUT[3] = 0; if (REG(0x08180040) == 0) OUT[0] = REG(0x08180000);"
                " unlock(); program(0x08180000, 1); }")  # fmt: skip
    twin.arm(Cut(at=0, when="torn", pattern=("prefix", 100)))
    with pytest.raises(PowerCut):
        twin.run()
    twin.flash_load(FREE + 64, bytes(4))
    twin.power_on()
    return twin


def test_a_torn_word_is_a_precise_bus_fault() -> None:
    """4.7.7, and DDI0403 B3.2.15: BFAR has the word, the stacked PC is at the load."""
    twin = _torn(PROBE)
    assert not twin.run(seconds=0.01)
    assert (out(twin, 3), out(twin, 4), out(twin, 5)) == (1, 0x8200, FREE)
    assert [(fault.kind, fault.address) for fault in twin.faults] == [("BusFault", FREE)]


def test_a_torn_word_without_a_handler_locks_up_in_the_handler() -> None:
    """B1.5.15: the same load in the handler of the fault."""
    twin = _torn("void hard(void) { OUT[1] = REG(0x08180004); }")
    with pytest.raises(TwinError, match="lockup: BusFault"):
        twin.run(seconds=0.01)


@pytest.mark.parametrize("keys", ["0x45670123, 0x12345678", "0x12345678, 0xcdef89ab"])
def test_a_wrong_key_locks_its_bank_until_reset(keys: str) -> None:
    """4.5.1; the other bank is not concerned."""
    first, second = keys.split(", ")
    twin = make(f"""void hard(void) {{ OUT[1]++; }}
        void main_(void) {{ OUT[1] = 0; FLASH_KEYR2 = {first}; FLASH_KEYR2 = {second}; unlock();
            OUT[0] = FLASH_CR2; OUT[2] = FLASH_CR1; }}""")
    finish(twin)
    assert (out(twin, 0), out(twin, 2)) == (0x31, 0x30)
    assert out(twin, 1) >= 1


def test_write_protection() -> None:
    """4.5.2: WRPSn 0 protects a sector of its bank."""
    twin = make("""void main_(void) { unlock(); erase(4); OUT[0] = FLASH_SR2; FLASH_CCR2 = ~0u; program(0x08180000, 0);
        OUT[1] = FLASH_SR2; FLASH_CCR2 = ~0u; erase(5); OUT[2] = FLASH_SR2; }""")
    twin.flash_controller.options["BANK1_WPSN_CURR"] &= ~(1 << 4)
    twin.power_on()
    finish(twin, 3)
    assert [out(twin, i) for i in range(3)] == [1 << 17, 1 << 17, 0]


SUPPLY = "void main_(void) { OUT[0] = PWR_CR3; PWR_CR3 = 6; OUT[1] = PWR_CR3; }"


def test_the_supply_is_chosen_once_and_before_ram_is_written() -> None:
    """7.4.1 and 7.8.4: Run*; further writes of the low bits are ignored, also after another reset."""
    twin = make(SUPPLY)
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (2, 2)
    elf = ELFFile(io.BytesIO(build(SUPPLY, PART)))  # type: ignore[no-untyped-call]
    (symbol,) = elf.get_section_by_name(".symtab").get_symbol_by_name("reset")  # type: ignore[no-untyped-call]
    twin.flash_load(0x08000004, int(symbol["st_value"]).to_bytes(4, "little"))
    twin.reset()
    finish(twin)
    twin.power_on()
    with pytest.raises(TwinError, match=r"RAM at 0x2\w+ was written in Run\*"):
        twin.run()


def test_the_wrong_supply_is_noticed() -> None:
    twin = make(SUPPLY)
    twin.core_supply = "smps"
    twin.power_on()
    with pytest.raises(TwinError, match="on a board with SMPS: the core loses its supply"):
        twin.run()


RESET_VALUES = {
    "9.7.1-RCC_CR": ("OUT[0] = RCC_CR;", 0xC005),
    "9.7.9-RCC_PLLCKSELR": ("OUT[0] = RCC_PLLCKSELR;", 0x02020200),
    "9.7.39-RCC_RSR-power-on": ("OUT[0] = RCC_RSR;", 0x00FA0000),
    "7.8.7-PWR_D3CR": ("OUT[0] = PWR_D3CR;", 0x6000),
    "4.9.1-FLASH_ACR": ("OUT[0] = FLASH_ACR;", 0x37),
    "4.9.4-FLASH_CR2": ("OUT[0] = FLASH_CR2;", 0x31),
    "12.4.1-GPIOA_MODER": ("RCC_AHB4ENR |= 1; (void)RCC_AHB4ENR; OUT[0] = GPIOA_MODER;", 0xABFFFFFF),
    "2.3-vectors": ("OUT[0] = SCB_VTOR;", 0x08000000),
    "CPUID": ("OUT[0] = REG(0xe000ed00) >> 4 & 0xfff;", 0xC27),
    "65.2-flash-size": ("OUT[0] = HALF(0x1ff1e880);", 2048),
}


@pytest.mark.parametrize(("code", "value"), RESET_VALUES.values(), ids=RESET_VALUES.keys())
def test_reset_values(code: str, value: int) -> None:
    twin = make(f"void main_(void) {{ {code} }}")
    finish(twin)
    assert out(twin) == value


def test_a_byte_at_400_mhz() -> None:
    """9.5.6: USART3 on APB1, a quarter of the clock of the core."""
    twin = make(
        f"void main_(void) {{ scale_1(); pll_400mhz(); FLASH_ACR = 0x22; buses(); {SWITCH} RCC_AHB4ENR |= 2;"
        " RCC_APB1LENR = 1u << 18; (void)RCC_APB1LENR; GPIOB_MODER = 0xffafffff; GPIOB_AFRH = 0x7700;"
        " USART3_BRR = 868; USART3_CR1 = 13; USART3_TDR = 'o'; while (!(USART3_ISR & 64)) {} }"
    )
    finish(twin)
    assert bytes(twin.uart("USART3").output) == b"o"
