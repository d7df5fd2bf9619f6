"""STM32H745 on the twin: each misuse and what RM0399 says about it, by section."""

from __future__ import annotations

import pytest

from spboot.errors import TwinError
from spboot.formats import elf
from spboot.twin import Cut, PowerCut, Twin

from .conftest import build, finish, out, refuses, twin_of

PART = "STM32H745XI"
FREE = 0x08180000
"""Sector 4 of bank 2."""


def make(code: str) -> Twin:
    return twin_of(code, PART)


PG = "FLASH_CR2 = 2 | X64;"
SWITCH = "RCC_CFGR = 3; while ((RCC_CFGR & 0x38) != 0x18) {}"


def test_what_is_refused_leaves_the_cells_and_fw_fills_up_with_ones() -> None:
    """4.3.9."""
    twin = make(
        f"void main_(void) {{ unlock(); REG(0x08180000) = 0; FLASH_CCR2 = 1u << 18; {PG}"
        " REG(0x08180020) = 5; FLASH_CR2 = 0x42 | X64; while (FLASH_SR2 & 7) {} }"
    )
    finish(twin)
    assert [(op.kind, op.address, op.size) for op in twin.log] == [("program", FREE + 32, 32)]
    assert twin.flash_read(FREE, 64) == b"\xff" * 32 + b"\5\0\0\0" + b"\xff" * 28


@pytest.mark.parametrize("sector", [0, 5, 7])
def test_sectors_of_bank_2(sector: int) -> None:
    """4.3.4: eight sectors of 128 KB in each bank."""
    twin = make(f"void main_(void) {{ unlock(); erase({sector}); }}")
    finish(twin, 3)
    assert [(op.kind, op.address, op.size) for op in twin.log] == [("erase", 0x08100000 + sector * 0x20000, 0x20000)]


WIDTHS = {0: (2, 290e-6), 1: (1.8, 180e-6), 2: (1.1, 130e-6), 3: (1, 100e-6)}
"""PSIZE -> seconds for a sector and a word (DS12110 table 140)."""


@pytest.mark.parametrize(("psize", "times"), WIDTHS.items())
def test_times_go_with_the_width(psize: int, times: tuple[float, float]) -> None:
    """4.3.9, parallelism."""
    width = psize << 4
    twin = make(
        f"void main_(void) {{ unlock(); FLASH_CR2 = 4 | 4 << 8 | {width}; FLASH_CR2 |= 0x80; while (FLASH_SR2 & 7) {{}}"
        f" FLASH_CR2 = 2 | {width}; for (int i = 0; i < 32; i += 4) REG({FREE} + i) = 1; while (FLASH_SR2 & 7) {{}} }}"
    )
    finish(twin, 5)
    assert twin.log.busy_ps == pytest.approx(sum(times) * 1e12, rel=1e-6)


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
    twin = make(
        source + "void main_(void) { OUT[3] = 0; if (REG(0x08180040) == 0) OUT[0] = REG(0x08180000);"
        " unlock(); program(0x08180000, 1); }"
    )
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
    (reset,) = (each.value for each in elf.symbols("f.elf", build(SUPPLY, PART)) if each.name == "reset")
    twin.flash_load(0x08000004, reset.to_bytes(4, "little"))
    twin.reset()
    finish(twin)
    twin.power_on()
    with pytest.raises(TwinError, match=r"RAM at 0x2\w+ was written in Run\*"):
        twin.run()


def test_the_other_core_may_be_told_where_to_sleep() -> None:
    """7.8.6: PWR_CPU2CR; STM32H743 has one core (RM0433)."""
    code = "OUT[0] = REG(0x58024814); REG(0x58024814) = 5; OUT[1] = REG(0x58024814);"
    twin = make(f"void main_(void) {{ {code} }}")
    finish(twin)
    assert (out(twin), out(twin, 1)) == (0, 5)
    refuses("STM32H743ZI", code, "PWR has no register at offset 0x14")


def test_the_wrong_supply_is_noticed() -> None:
    twin = make(SUPPLY)
    twin.core_supply = "smps"
    twin.power_on()
    with pytest.raises(TwinError, match="on a board with SMPS: the core loses its supply"):
        twin.run()


def test_a_byte_at_400_mhz() -> None:
    """9.5.6: USART3 on APB1, a quarter of the clock of the core."""
    twin = make(
        f"void main_(void) {{ scale_1(); pll_400mhz(); FLASH_ACR = 0x22; buses(); {SWITCH} RCC_AHB4ENR |= 2;"
        " RCC_APB1LENR = 1u << 18; (void)RCC_APB1LENR; GPIOB_MODER = 0xffafffff; GPIOB_AFRH = 0x7700;"
        " USART3_BRR = 868; USART3_CR1 = 13; USART3_TDR = 'o'; while (!(USART3_ISR & 64)) {} }"
    )
    finish(twin)
    assert bytes(twin.uart("USART3").output) == b"o"
