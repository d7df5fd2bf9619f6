/* SPDX-License-Identifier: MIT */
/* rcc_g0.c - clocks of STM32G0 (IP rcc_g0x1): HSI 16 MHz through the PLL.  RM0444 chapter 5. */
#include "clock.h"
#include "power.h"
#include "reg.h"
#include "spb_chip.h"

#define CR (RCC_BASE + RCC_CR_OFF)
#define CFGR (RCC_BASE + RCC_CFGR_OFF)
#define PLLCFGR (RCC_BASE + RCC_PLLCFGR_OFF)
#define CSR (RCC_BASE + RCC_CSR_OFF)
#define ACR (FLASH_BASE + FLASH_ACR_OFF)

#define PLL_IN_HZ 4000000u                  /* HSI16 / 4 */
#define PLL_M 3u                            /* divides by 4: RM0444 5.4.4 */
#define PLL_N (SPB_CLOCK_HZ / (PLL_IN_HZ / 2))
#define PLL_R 1u                            /* divides by 2 */
#define SOURCE_HSI 2u                       /* PLLSRC */
#define SYSCLK_PLL 2u                       /* SW, RM0444 5.4.3 */
#define WAIT_STATES 2u                      /* 48 < HCLK <= 64 MHz in range 1: RM0444 3.3.4 */
#define PLLCFGR_RESET 0x00001000u           /* RM0444 5.4.4 */

_Static_assert(SPB_CLOCK_HZ % (PLL_IN_HZ / 2) == 0, "clock_hz is a multiple of 2 MHz");
_Static_assert(PLL_N * PLL_IN_HZ >= 96000000u && SPB_CLOCK_HZ <= 64000000u, "clock_hz is 48 .. 64 MHz: RM0444 5.2");

void spb_clock_start(void) {
    spb_power_start();
    reg_modify(ACR, FLASH_ACR_LATENCY, WAIT_STATES << FLASH_ACR_LATENCY_POS);
    while ((reg_read(ACR) & FLASH_ACR_LATENCY) != WAIT_STATES << FLASH_ACR_LATENCY_POS) {}
    reg_write(PLLCFGR, SOURCE_HSI << RCC_PLLCFGR_PLLSRC_POS | PLL_M << RCC_PLLCFGR_PLLM_POS |
                           PLL_N << RCC_PLLCFGR_PLLN_POS | PLL_R << RCC_PLLCFGR_PLLR_POS | RCC_PLLCFGR_PLLREN);
    reg_set(CR, RCC_CR_PLLON);
    while ((reg_read(CR) & RCC_CR_PLLRDY) == 0) {}
    reg_modify(CFGR, RCC_CFGR_SW, SYSCLK_PLL << RCC_CFGR_SW_POS);
    while ((reg_read(CFGR) & RCC_CFGR_SWS) != SYSCLK_PLL << RCC_CFGR_SWS_POS) {}
    spb_clock_enable();
}

void spb_clock_stop(void) {
    spb_clock_disable();
    reg_modify(CFGR, RCC_CFGR_SW, 0);
    while ((reg_read(CFGR) & RCC_CFGR_SWS) != 0) {}
    reg_clear(CR, RCC_CR_PLLON);
    while ((reg_read(CR) & RCC_CR_PLLRDY) != 0) {}
    reg_write(PLLCFGR, PLLCFGR_RESET);
    reg_modify(ACR, FLASH_ACR_LATENCY, 0);
    while ((reg_read(ACR) & FLASH_ACR_LATENCY) != 0) {}
    spb_power_stop();
}

uint32_t spb_clock_console_hz(void) { return SPB_CLOCK_HZ; }

enum spb_reset_cause spb_clock_reset_cause(void) {
    uint32_t csr = reg_read(CSR);
    if (csr & (RCC_CSR_IWDGRSTF | RCC_CSR_WWDGRSTF)) return SPB_RESET_WATCHDOG;
    if (csr & RCC_CSR_SFTRSTF) return SPB_RESET_SOFTWARE;
    if (csr & RCC_CSR_PWRRSTF) return SPB_RESET_POWER;
    if (csr & RCC_CSR_PINRSTF) return SPB_RESET_PIN;
    return SPB_RESET_OTHER;
}
