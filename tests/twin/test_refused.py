"""What the twin refuses to go on with, beside the table of misuse: clocks, voltages, caches, pins.

The id is the section of the manual that stands beside the part."""

from __future__ import annotations

import pytest

from .conftest import refuses

CLOCK_L0 = "RCC_CR |= 1; while (!(RCC_CR & 4)) {} RCC_CFGR = PLL_32MHZ; RCC_CR |= 1u << 24;"
RANGE_1_L0 = "RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; PWR_CR = 0x800; while (PWR_CSR & 16) {}"
PLL_216 = "RCC_PLLCFGR = 8 | 216 << 6 | 9 << 24 | 2 << 28; RCC_CR |= 1u << 24; while (!(RCC_CR & 1u << 25)) {}"
SWITCH = "RCC_CFGR = 3; while ((RCC_CFGR & 0x38) != 0x18) {}"
REFUSED: dict[str, dict[str, tuple[str, str]]] = {
    "STM32L476RG": {  # RM0351
        "6.2.18-no-delay-after-enable": (
            '__asm volatile("str %0, [%1]\\nldr r0, [%2]" :: "r"(1), "r"(0x4002104c), "r"(0x48000000) : "r0");',
            "right after RCC_AHB2ENR",
        ),
        "2.2.2-no-such-block": ("REG(0x40001c00) = 1;", "0x40001c00, where STM32L476RG has no peripheral"),
        "6.4-no-such-register": ("(void)REG(0x400210a0);", "RCC has no register at offset 0xa0"),
        "40.8.8-read-only": ("console(35); USART2_ISR = 0;", "USART2_ISR is read-only"),
        "3.7.1-latency": (
            "FLASH_ACR = 0x600; RCC_CR |= 1u << 8; while (!(RCC_CR & 1u << 10)) {} RCC_CR = 0xb9 | 1u << 8;",
            "wait states",
        ),
        "3.3.3-latency-of-80mhz": (
            "RCC_PLLCFGR = 1u | 40u << 8 | 1u << 24; RCC_CR |= 1u << 24; while (!(RCC_CR & 1u << 25)) {} RCC_CFGR = 3;",
            "80 MHz with 0 wait states in voltage range 1.*LATENCY to 4",
        ),
        "5.4.1-range-2-at-80mhz": (
            "clock_80mhz(); RCC_APB1ENR1 |= 1u << 28; (void)RCC_APB1ENR1; PWR_CR1 = 0x400;",
            "voltage range 2.*Stay below 26 MHz",
        ),
        "6.4.4-pll-out-of-range": (
            "RCC_PLLCFGR = 1u | 86u << 8 | 1u << 24; RCC_CR |= 1u << 24;",
            "PLL: .*N 86.*at most 80 MHz",
        ),
        "6.4.4-pll-changed-while-on": ("clock_80mhz(); RCC_PLLCFGR = 1u | 20u << 8 | 1u << 24;", "PLLCFGR changed"),
        "3.3.7-cache-left-on": ("unlock(); erase(0, 200); FLASH_CR = 1u << 31;", "with a cache on"),
        "3.3.7-cache-on-after-erase": (
            "FLASH_ACR = 0x200; unlock(); erase(0, 200); FLASH_CR = 1u << 31; FLASH_ACR = 0x600;",
            "may hold what was erased",
        ),
        "3.7.1-cache-emptied-while-on": ("FLASH_ACR = 0x1600;", "empties a cache that is on"),
        "3.3.8-fast-programming": (
            "unlock(); FLASH_ACR = 0; FLASH_CR = 1u << 18; REG(0x080f0000) = 1;",
            "with FSTPG.*does not model fast programming",
        ),
        "3.7.8-options-locked": ("unlock(); REG(0x40022020) = 0;", "OPTLOCK"),
        "8.3.2-no-pin": ("console(35); GPIOA_MODER |= 0x30; put('x');", r"no TX pin .*PA2 \(AF7\)"),
        "8.4.9-wrong-function": ("console(35); GPIOA_AFRL = 0x7100; put('x');", "no TX pin"),
        "40.8.4-no-baud-rate": ("console(0);", "BRR 0x0"),
        "40.8.4-brr-while-enabled": ("console(35); USART2_BRR = 70;", "BRR written while UE"),
        "40.5.2-tdr-full": ("console(35); for (int i = 0; i < 3; i++) USART2_TDR = 'x';", "TXE is 0"),
        "40.5.2-not-enabled": ("console(35); USART2_CR1 = 0; USART2_TDR = 1;", "UE or TE is clear"),
        "38.4.1-no-access": ("IWDG_PR = 3;", "0x5555"),
        "38.4.4-update-running": ("IWDG_KR = 0x5555; IWDG_PR = 3; IWDG_PR = 4;", "update runs"),
        "store-to-system-memory": ("REG(0x1fff7590) = 0;", "read-only 0x1fff7590"),
        "9.2.1-remap": ("RCC_APB2ENR = 1; (void)RCC_APB2ENR; REG(0x40010000) = 3;", "remaps"),
    },
    "STM32L073RZ": {  # RM0367
        "3.3.4-mode-that-is-none": (
            "unlock(); FLASH_PECR = PROG; REG(0x08020000) = 1;",
            "PROG and ERASE, PROG and FPRG",
        ),
        "3.3.4-half-page-given-up": (
            "unlock(); half_page(0x08020000, 15, 4); FLASH_PECR = 0;", "inside a half-page.*all 16 words",
        ),
        "3.7-half-a-register": ("unlock(); *(volatile unsigned short *)&FLASH_PECR = 8;", "2-byte write to a FLASH"),
        "3.3.3-latency": (
            RANGE_1_L0 + CLOCK_L0
            + " while (!(RCC_CR & 1u << 25)) {} RCC_CFGR |= 3; for (volatile int i = 0; i < 99; i++) {}",
            "32 MHz with 0 wait states in voltage range 1.*LATENCY to 1",
        ),
        "7.2.4-vco-in-range-2": (CLOCK_L0, "VCO 64 MHz.*VCO at most 48"),
        "7.3.4-factors-while-on": (
            RANGE_1_L0 + CLOCK_L0 + " RCC_CFGR = 0;",
            "CFGR changed while the PLL is on",
        ),
        "6.1.5-vos-while-vosf": (
            "RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; PWR_CR = 0x800; PWR_CR = 0x1000;", "changed while VOSF",
        ),
        "6.4.1-vos-0": ("RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; PWR_CR = 0;", "VOS = 0"),
        "28.5.4-lpuart-brr-below-300": (
            "RCC_IOPENR = 1; RCC_APB1ENR = 1u << 18; (void)RCC_APB1ENR; LPUART1_BRR = 0x2ff; LPUART1_CR1 = 9;",
            "BRR 0x2ff",
        ),
        "2.2-bit-band": ("(void)REG(0x42000000);", "no peripheral|fault"),
    },
    "STM32L562QE": {  # RM0438
        "icache-on-during-a-program": (
            "while (ICACHE_SR & 1) {} ICACHE_CR = 5; unlock(); program(0x08060000, 1, 2); FLASH_CR = 1u << 31;",
            "changed with ICACHE on",
        ),
        "icache-on-during-an-erase": (
            "while (ICACHE_SR & 1) {} ICACHE_CR = 5; unlock(); erase(1, 100); FLASH_CR = 1u << 31;",
            "changed with ICACHE on",
        ),
        "icache-waysel": ("while (ICACHE_SR & 1) {} ICACHE_CR = 5; ICACHE_CR = 1;", "WAYSEL changed"),
        "icache-interrupts": ("REG(0x40030408) = 2;", "interrupts of the cache"),
    },
    "STM32F429ZI": {  # RM0090
        "2.3-no-such-block": ("REG(0x40005400) = 1;", r"I2C1 \(0x40005400 \+ 0x0\), which the twin does not"),
        "3.9-no-such-register": ("(void)REG(0x40023c1c);", "FLASH has no register at offset 0x1c"),
        "3.5.1-latency": (
            "RCC_PLLCFGR = 8 | 168 << 6 | 7 << 24; RCC_CR |= 1u << 24;"
            " while (!(RCC_CR & 1u << 25)) {} RCC_CFGR = 0x9402;",
            "168 MHz with 0 wait states at 3300 mV.*LATENCY to 5",
        ),
        "6.2-apb1-too-fast": (
            "FLASH_ACR = 5; RCC_PLLCFGR = 8 | 168 << 6 | 7 << 24; RCC_CR |= 1u << 24; while (!(RCC_CR & 1u << 25)) {}"
            " RCC_CFGR = 4 << 10 | 4 << 13; RCC_CFGR |= 2; while ((RCC_CFGR & 12) != 8) {}",
            "APB1 at 84 MHz",
        ),
        "5.1.3-voltage-scale": (
            "RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; PWR_CR = 1u << 14; clock_168mhz();",
            "168 MHz at a voltage for 120 MHz",
        ),
        "5.1.3-180mhz-without-over-drive": (
            "FLASH_ACR = 5; RCC_PLLCFGR = 8 | 180 << 6 | 8 << 24; RCC_CR |= 1u << 24; while (!(RCC_CR & 1u << 25)) {}"
            " RCC_CFGR = 0x9402; while ((RCC_CFGR & 12) != 8) {}",
            "180 MHz at a voltage for 168 MHz",
        ),
        "5.1.4-over-drive-not-ready": (
            "RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; PWR_CR = 3u << 14 | 1u << 16; PWR_CR = 3u << 14 | 3u << 16;",
            "ODSWEN set before ODRDY",
        ),
        "5.1.4-over-drive-on-pll": (
            "clock_168mhz(); RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; PWR_CR = 3u << 14 | 1u << 16;",
            "over-drive entered while the PLL",
        ),
        "5.4.1-vos-with-pll-on": (
            "RCC_PLLCFGR = 8 | 168 << 6 | 7 << 24; RCC_CR |= 1u << 24; RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR;"
            " PWR_CR = 2u << 14;",
            "VOS changed while the PLL is on",
        ),
        "7.3.2-pll-vco": ("RCC_PLLCFGR = 8 | 432 << 6 | 9 << 24; RCC_CR |= 1u << 24;", "VCO 864 MHz"),
        "7.3.2-pll-input": ("RCC_PLLCFGR = 4 | 100 << 6 | 9 << 24; RCC_CR |= 1u << 24;", "input 4 MHz"),
        "7.3.2-pll-changed-while-on": ("clock_168mhz(); RCC_PLLCFGR = 8 | 100 << 6 | 7 << 24;", "PLLCFGR changed"),
        "3.6.2-width-against-voltage": ("unlock(); FLASH_CR = 1 | 3u << 8; REG(0x08180000) = 0;", r"PSIZE = 3 \(x64\)"),
        "3.9.7-reserved-bit": ("unlock(); FLASH_CR = 1u << 20;", "reserved bits 0x100000"),
        "3.9.1-cache-emptied-while-on": ("FLASH_ACR = 0x400; FLASH_ACR = 0x1400;", "empties a cache that is on"),
        "3.6.3-cache-on-after-erase": (
            "FLASH_ACR = 0x400; (void)REG(0x08180000); FLASH_ACR = 0; unlock(); erase(24); FLASH_ACR = 0x400;",
            "may hold what was erased",
        ),
        "3.6.3-cache-left-on": ("FLASH_ACR = 0x400; unlock(); erase(24); FLASH_CR = 1u << 31;", "with a cache on"),
        "3.7-options": ("FLASH_OPTCR = 0;", "OPTLOCK"),
        "8.3.2-no-pin": ("console(139); GPIOD_MODER = 0; USART3_DR = 'x';", r"no TX pin .*PD8 \(AF7\)"),
        "30.6.2-dr-full": ("console(139); for (int i = 0; i < 3; i++) USART3_DR = 'x';", "TXE is 0"),
        "30.6.4-not-enabled": ("console(139); USART3_CR1 = 0; USART3_DR = 1;", "UE or TE is clear"),
        "30.6.3-no-baud-rate": ("console(0);", "BRR 0x0"),
        "2.3-above-flash": ("unlock(); FLASH_CR = 1 | X32; REG(0x1fff7a10) = 0;", "read-only 0x1fff7a10"),
    },
    "STM32F769NI": {  # RM0410
        "3.7-no-such-register": ("(void)REG(0x40023c20);", "FLASH has no register at offset 0x20"),
        "3.3.2-latency": (
            f"{PLL_216} RCC_CFGR = 0x9402; while ((RCC_CFGR & 12) != 8) {{}}",
            "216 MHz with 0 wait states at 3300 mV.*LATENCY to 7",
        ),
        "4.1.4-216mhz-without-over-drive": (
            f"FLASH_ACR = 7; {PLL_216} RCC_CFGR = 0x9402; while ((RCC_CFGR & 12) != 8) {{}}",
            "216 MHz at a voltage for 180 MHz",
        ),
        "5.2-apb2-too-fast": (
            "FLASH_ACR = 7; RCC_PLLCFGR = 8 | 180 << 6 | 8 << 24; RCC_CR |= 1u << 24; while (!(RCC_CR & 1u << 25)) {}"
            " RCC_CFGR = 5 << 10 | 2; while ((RCC_CFGR & 12) != 8) {}",
            "APB2 at 180 MHz",
        ),
        "3.3.5-width-against-voltage": ("unlock(); FLASH_CR = 1 | 3u << 8; REG(0x08180000) = 0;", r"PSIZE = 3 \(x64\)"),
        "3.7.1-accelerator-emptied-while-on": ("FLASH_ACR = 0x200; FLASH_ACR = 0xa00;", "empties a cache that is on"),
        "3.7.1-accelerator-on-after-erase": (
            "FLASH_ACR = 0x200; (void)REG(0x00340000); for (volatile int i = 0; i < 9; i++) {} FLASH_ACR = 0; unlock();"
            " erase(9); FLASH_ACR = 0x200;",
            "may hold what was erased",
        ),
        "2.2.2-no-such-block": ("REG(0x40005400) = 1;", r"I2C1 \(0x40005400 \+ 0x0\), which the twin does not"),
        "PM0253-4.8-data-cache-not-emptied": ("SCB_CCR |= 1u << 16;", "contents that nobody emptied"),
        "PM0253-4.8-one-way-forgotten": (
            "for (uint32_t i = 0; i < 384; i++) SCB_DCISW = (i >> 7) << 30 | (i & 127) << 5; SCB_CCR |= 1u << 16;",
            "contents that nobody emptied",
        ),
        "PM0253-4.8-instruction-cache-not-emptied": ("SCB_CCR |= 1u << 17;", "not emptied"),
        "PM0253-4.8-dropped-while-on": ("data_cache_on(); SCB_DCISW = 0;", "drops what the data cache has to write"),
        "PM0253-4.8-off-but-not-written": (
            "data_cache_on(); SCB_CCR &= ~(1u << 16); SCB_VTOR = 0x08040000;",
            "holds unwritten data",
        ),
        "PM0253-4.8-ram-dropped": ("data_cache_on(); SCB_DCIMVAC = 0x20020000;", "drops what RAM has to get"),
        "PM0253-4.8-stale-after-erase": (
            "data_cache_on(); unlock(); erase(9); program(0x08140000, 1);",
            "0x08140000 was erased, and the data cache may still hold",
        ),
        "PM0253-4.8-stale-but-for-the-last-line": (
            "data_cache_on(); unlock(); erase(9); for (uint32_t at = 0x08140000; at < 0x0817ffe0; at += 32)"
            " SCB_DCIMVAC = at; program(0x08140000, 1);",
            "0x0817ffe0 was erased",
        ),
        "ES0392-2.1.1-stale-after-program": (
            "data_cache_on(); unlock(); program(0x08180000, 1); FLASH_CR = 1u << 31; unlock();",
            "0x08180000 was programmed, and the data cache may still hold",
        ),
        "PM0253-4.4.4-vectors-not-on-1-KB": ("SCB_VTOR = 0x08040200;", "not on a 1024-byte boundary"),
    },
    "STM32H745XI": {  # RM0399
        "2.3-no-such-block": ("REG(0x40005400) = 1;", r"I2C1 \(0x40005400 \+ 0x0\), which the twin does not"),
        "4.9-no-such-register": ("(void)REG(0x52002068);", "FLASH has no register at offset 0x68"),
        "4.3.8-latency": (
            f"scale_1(); pll_400mhz(); FLASH_ACR = 0x21; buses(); {SWITCH}",
            "AXI 200 MHz with 1 wait states at VOS 3",
        ),
        "4.3.8-programming-delay": (
            f"scale_1(); pll_400mhz(); FLASH_ACR = 0x12; buses(); {SWITCH} unlock(); erase(0);",
            "operation at 200 MHz with WRHIGHFREQ 1 at VOS 3.*to 2",
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
        "9.7.10-pll-changed-while-on": (
            "pll_400mhz(); RCC_PLL1DIVR = 99 | 1 << 9;",
            "PLLDIVR0 changed while PLL1 is on",
        ),
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
        "4.9.4-reserved-bit": ("unlock(); FLASH_CR1 = 1u << 29;", "reserved bits 0x20000000"),
        "4.9.5-status-is-read-only": ("FLASH_SR1 = 0;", "BANK0_SR is read-only"),
        "4.9.7-options-locked": ("FLASH_OPTCR = 0;", "OPTLOCK"),
        "2.3-above-flash": ("unlock(); REG(0x1ff1e800) = 0;", "read-only 0x1ff1e800"),
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("part", "code", "message"),
    [
        pytest.param(part, *entry, id=f"{part}-{name}")
        for part, entries in REFUSED.items()
        for name, entry in entries.items()
    ],
)
def test_refused_with_a_message_that_helps(part: str, code: str, message: str) -> None:
    refuses(part, code, message)
