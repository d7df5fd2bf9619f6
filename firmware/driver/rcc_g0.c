/* SPDX-License-Identifier: MIT */
/* rcc_g0.c - clocks of STM32G0 (IP rcc_g0x1): HSI 16 MHz through the PLL.  RM0444 chapter 5. */
#include "clock.h"
#include "clock_steps.h"
#include "power.h"
#include "reg.h"
#include "spb_chip.h"

#define PLLCFGR (RCC_BASE + RCC_PLLCFGR_OFF)
#define CSR (RCC_BASE + RCC_CSR_OFF)

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
    spb_clock_latency(WAIT_STATES << FLASH_ACR_LATENCY_POS);
    reg_write(PLLCFGR, SOURCE_HSI << RCC_PLLCFGR_PLLSRC_POS | PLL_M << RCC_PLLCFGR_PLLM_POS |
                           PLL_N << RCC_PLLCFGR_PLLN_POS | PLL_R << RCC_PLLCFGR_PLLR_POS | RCC_PLLCFGR_PLLREN);
    spb_clock_on(RCC_CR_PLLON, RCC_CR_PLLRDY);
    spb_clock_switch(SYSCLK_PLL);
    spb_clock_enable();
}

void spb_clock_stop(void) {
    spb_clock_disable();
    spb_clock_switch(0);
    spb_clock_off(RCC_CR_PLLON, RCC_CR_PLLRDY);
    reg_write(PLLCFGR, PLLCFGR_RESET);
    spb_clock_latency(0);
    spb_power_stop();
}

uint32_t spb_clock_console_hz(void) { return SPB_CLOCK_HZ; }

uint32_t spb_clock_reset_flags(void) { return reg_read(CSR) >> 24; }
