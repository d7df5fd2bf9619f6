/* SPDX-License-Identifier: MIT */
/* rcc_l0.c - clocks of STM32L0 (IP rcc_l0, rcc_l0_v2): HSI 16 MHz through the PLL.  RM0367, RM0377 chapter 7. */
#include "clock.h"
#include "power.h"
#include "reg.h"
#include "spb_chip.h"

#define CR (RCC_BASE + RCC_CR_OFF)
#define CFGR (RCC_BASE + RCC_CFGR_OFF)
#define CSR (RCC_BASE + RCC_CSR_OFF)
#define ACR (FLASH_BASE + FLASH_ACR_OFF)

#define PLL_MUL (SPB_CLOCK_HZ == 24000000u ? 0u : 1u) /* by 3 or by 4: RM0367 7.3.4 */
#define PLL_DIV 1u                                    /* by 2; the source is HSI16 after a reset */
#define SYSCLK_MSI 0u
#define SYSCLK_PLL 3u

_Static_assert(SPB_CLOCK_HZ == 24000000u || SPB_CLOCK_HZ == 32000000u, "clock_hz is 24 or 32 MHz");

void spb_clock_start(void) {
    spb_power_start();
    reg_set(ACR, FLASH_ACR_LATENCY); /* one wait state above 16 MHz in range 1: RM0367 3.3.3 */
    while ((reg_read(ACR) & FLASH_ACR_LATENCY) == 0) {}
    reg_set(CR, RCC_CR_HSION);
    while ((reg_read(CR) & RCC_CR_HSIRDY) == 0) {}
    reg_modify(CFGR, RCC_CFGR_PLLMUL | RCC_CFGR_PLLDIV,
               PLL_MUL << RCC_CFGR_PLLMUL_POS | PLL_DIV << RCC_CFGR_PLLDIV_POS);
    reg_set(CR, RCC_CR_PLLON);
    while ((reg_read(CR) & RCC_CR_PLLRDY) == 0) {}
    reg_modify(CFGR, RCC_CFGR_SW, SYSCLK_PLL << RCC_CFGR_SW_POS);
    while ((reg_read(CFGR) & RCC_CFGR_SWS) != SYSCLK_PLL << RCC_CFGR_SWS_POS) {}
    spb_clock_enable();
}

void spb_clock_stop(void) {
    spb_clock_disable();
    reg_modify(CFGR, RCC_CFGR_SW, SYSCLK_MSI);
    while ((reg_read(CFGR) & RCC_CFGR_SWS) != SYSCLK_MSI) {}
    reg_clear(CR, RCC_CR_PLLON);
    while ((reg_read(CR) & RCC_CR_PLLRDY) != 0) {}
    reg_clear(CFGR, RCC_CFGR_PLLMUL | RCC_CFGR_PLLDIV);
    reg_clear(CR, RCC_CR_HSION);
    reg_clear(ACR, FLASH_ACR_LATENCY);
    while ((reg_read(ACR) & FLASH_ACR_LATENCY) != 0) {}
    spb_power_stop();
}

uint32_t spb_clock_console_hz(void) { return SPB_CLOCK_HZ; }

enum spb_reset_cause spb_clock_reset_cause(void) {
    uint32_t csr = reg_read(CSR);
    if (csr & (RCC_CSR_IWDGRSTF | RCC_CSR_WWDGRSTF)) return SPB_RESET_WATCHDOG;
    if (csr & RCC_CSR_SFTRSTF) return SPB_RESET_SOFTWARE;
    if (csr & RCC_CSR_PORRSTF) return SPB_RESET_POWER;
    if (csr & RCC_CSR_PINRSTF) return SPB_RESET_PIN;
    return SPB_RESET_OTHER;
}
