/* SPDX-License-Identifier: MIT */
/* rcc_l4.c - clocks of STM32L4 (IP rcc_l4): MSI 4 MHz through the PLL.  RM0351 chapter 6. */
#include "clock.h"

#include "reg.h"
#include "spb_chip.h"

#define CR (RCC_BASE + RCC_CR_OFF)
#define CFGR (RCC_BASE + RCC_CFGR_OFF)
#define PLLCFGR (RCC_BASE + RCC_PLLCFGR_OFF)
#define CSR (RCC_BASE + RCC_CSR_OFF)
#define ACR (FLASH_BASE + FLASH_ACR_OFF)

#define MSI_HZ 4000000u
#define PLL_N (SPB_CLOCK_HZ / (MSI_HZ / 2)) /* PLLR = 2, PLLM = 1 */
#define SOURCE_MSI 1u                       /* PLLSRC, RM0351 6.4.4 */
#define SYSCLK_PLL 3u                       /* SW, RM0351 6.4.3 */
#define WAIT_STATES 4u                      /* 64 < HCLK <= 80 MHz in voltage range 1, the one after reset: RM0351 3.3.3 */
#define PLLCFGR_RESET 0x00001000u           /* RM0351 6.4.4 */

_Static_assert(SPB_CLOCK_HZ % (MSI_HZ / 2) == 0, "clock_hz is a multiple of 2 MHz");
_Static_assert(PLL_N * MSI_HZ >= 64000000u && SPB_CLOCK_HZ <= 80000000u, "clock_hz is 32 .. 80 MHz: RM0351 6.2.4");

void spb_clock_start(void) {
    reg_modify(ACR, FLASH_ACR_LATENCY, WAIT_STATES << FLASH_ACR_LATENCY_POS);
    while ((reg_read(ACR) & FLASH_ACR_LATENCY) != WAIT_STATES << FLASH_ACR_LATENCY_POS) {}
    reg_write(PLLCFGR, SOURCE_MSI << RCC_PLLCFGR_PLLSRC_POS | PLL_N << RCC_PLLCFGR_PLLN_POS | RCC_PLLCFGR_PLLREN);
    reg_set(CR, RCC_CR_PLLON);
    while ((reg_read(CR) & RCC_CR_PLLRDY) == 0) {}
    reg_modify(CFGR, RCC_CFGR_SW, SYSCLK_PLL << RCC_CFGR_SW_POS);
    while ((reg_read(CFGR) & RCC_CFGR_SWS) != SYSCLK_PLL << RCC_CFGR_SWS_POS) {}
    reg_set(RCC_BASE + SPB_PORTS_ENABLE_OFF, SPB_PORTS_ENABLE);
    reg_set(RCC_BASE + SPB_CONSOLE_ENABLE_OFF, SPB_CONSOLE_ENABLE);
    (void)reg_read(RCC_BASE + SPB_CONSOLE_ENABLE_OFF); /* two cycles until the clock runs, RM0351 6.2.19 */
}

void spb_clock_stop(void) {
    reg_set(RCC_BASE + SPB_PORTS_RESET_OFF, SPB_PORTS_RESET);
    reg_clear(RCC_BASE + SPB_PORTS_RESET_OFF, SPB_PORTS_RESET);
    reg_clear(RCC_BASE + SPB_PORTS_ENABLE_OFF, SPB_PORTS_ENABLE);
    reg_modify(CFGR, RCC_CFGR_SW, 0);
    while ((reg_read(CFGR) & RCC_CFGR_SWS) != 0) {}
    reg_clear(CR, RCC_CR_PLLON);
    while ((reg_read(CR) & RCC_CR_PLLRDY) != 0) {}
    reg_write(PLLCFGR, PLLCFGR_RESET);
    reg_modify(ACR, FLASH_ACR_LATENCY, 0);
    while ((reg_read(ACR) & FLASH_ACR_LATENCY) != 0) {}
}

enum spb_reset_cause spb_clock_reset_cause(void) {
    uint32_t csr = reg_read(CSR);
    if (csr & (RCC_CSR_IWDGRSTF | RCC_CSR_WWDGRSTF)) return SPB_RESET_WATCHDOG;
    if (csr & RCC_CSR_SFTRSTF) return SPB_RESET_SOFTWARE;
    if (csr & RCC_CSR_BORRSTF) return SPB_RESET_POWER;
    if (csr & RCC_CSR_PINRSTF) return SPB_RESET_PIN;
    return SPB_RESET_OTHER;
}
