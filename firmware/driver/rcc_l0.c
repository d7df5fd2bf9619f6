/* SPDX-License-Identifier: MIT */
/* rcc_l0.c - clocks of STM32L0 (IP rcc_l0, rcc_l0_v2): HSI 16 MHz through the PLL.  RM0367, RM0377 chapter 7. */
#include "clock.h"
#include "clock_steps.h"
#include "power.h"
#include "reg.h"
#include "spb_chip.h"

#define CR (RCC_BASE + RCC_CR_OFF)
#define CFGR (RCC_BASE + RCC_CFGR_OFF)
#define CSR (RCC_BASE + RCC_CSR_OFF)

#define PLL_MUL (SPB_CLOCK_HZ == 24000000u ? 0u : 1u) /* by 3 or by 4: RM0367 7.3.4 */
#define PLL_DIV 1u                                    /* by 2; the source is HSI16 after a reset */
#define SYSCLK_MSI 0u
#define SYSCLK_PLL 3u

_Static_assert(SPB_CLOCK_HZ == 24000000u || SPB_CLOCK_HZ == 32000000u, "clock_hz is 24 or 32 MHz");

void spb_clock_start(void) {
    spb_power_start();
    spb_clock_latency(FLASH_ACR_LATENCY); /* one wait state above 16 MHz in range 1: RM0367 3.3.3 */
    spb_clock_on(RCC_CR_HSION, RCC_CR_HSIRDY);
    reg_modify(CFGR, RCC_CFGR_PLLMUL | RCC_CFGR_PLLDIV,
               PLL_MUL << RCC_CFGR_PLLMUL_POS | PLL_DIV << RCC_CFGR_PLLDIV_POS);
    spb_clock_on(RCC_CR_PLLON, RCC_CR_PLLRDY);
    spb_clock_switch(SYSCLK_PLL);
    spb_clock_enable();
}

void spb_clock_stop(void) {
    spb_clock_disable();
    spb_clock_switch(SYSCLK_MSI);
    spb_clock_off(RCC_CR_PLLON, RCC_CR_PLLRDY);
    reg_clear(CFGR, RCC_CFGR_PLLMUL | RCC_CFGR_PLLDIV);
    reg_clear(CR, RCC_CR_HSION);
    spb_clock_latency(0);
    spb_power_stop();
}

uint32_t spb_clock_console_hz(void) { return SPB_CLOCK_HZ; }

uint32_t spb_clock_reset_flags(void) { return reg_read(CSR) >> 24; }
