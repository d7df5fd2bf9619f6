/* SPDX-License-Identifier: MIT */
/* rcc_g4.c - clocks of STM32G4 (IP rcc_g4): HSI 16 MHz through the PLL.  RM0440 chapter 7. */
#include "clock.h"
#include "clock_steps.h"
#include "power.h"
#include "reg.h"
#include "spb_chip.h"

#define CFGR (RCC_BASE + RCC_CFGR_OFF)
#define PLLCFGR (RCC_BASE + RCC_PLLCFGR_OFF)
#define CSR (RCC_BASE + RCC_CSR_OFF)

#define PLL_IN_HZ 4000000u                  /* HSI16 / 4 */
#define PLL_M 3u                            /* divides by 4: RM0440 7.4.4 */
#define PLL_N (SPB_CLOCK_HZ / (PLL_IN_HZ / 2)) /* PLLR = 2 */
#define SOURCE_HSI 2u                       /* PLLSRC */
#define SYSCLK_HSI 1u                       /* SW, RM0440 7.4.3 */
#define SYSCLK_PLL 3u
#define AHB_HALF 8u                         /* HPRE */
#define WAIT_STATES 4u                      /* up to 150 MHz, 170 in boost mode: RM0440 table 9 */
#define WAIT_STATES_RESET 1u                /* RM0440 3.7.1 */
#define PLLCFGR_RESET 0x00001000u           /* RM0440 7.4.4 */

_Static_assert(SPB_CLOCK_HZ % (PLL_IN_HZ / 2) == 0, "clock_hz is a multiple of 2 MHz");
_Static_assert(PLL_N * PLL_IN_HZ >= 96000000u && SPB_CLOCK_HZ <= SPB_CLOCK_MAX_HZ, "clock_hz is 48 .. 170 MHz");

/* Between the slow clock and the fast one the core runs at half of it for 1 us at least: RM0440 7.2.7. */
static void switch_to(uint32_t source) {
    reg_modify(CFGR, RCC_CFGR_HPRE, AHB_HALF << RCC_CFGR_HPRE_POS);
    spb_clock_switch(source);
    for (uint32_t cycles = SPB_CLOCK_HZ / 1000000u; cycles > 0; cycles--) __asm volatile("nop");
    reg_modify(CFGR, RCC_CFGR_HPRE, 0);
}

void spb_clock_start(void) {
    spb_power_start();
    spb_clock_latency(WAIT_STATES << FLASH_ACR_LATENCY_POS);
    reg_write(PLLCFGR, SOURCE_HSI << RCC_PLLCFGR_PLLSRC_POS | PLL_M << RCC_PLLCFGR_PLLM_POS |
                           PLL_N << RCC_PLLCFGR_PLLN_POS | RCC_PLLCFGR_PLLREN);
    spb_clock_on(RCC_CR_PLLON, RCC_CR_PLLRDY);
    switch_to(SYSCLK_PLL);
    spb_clock_enable();
}

void spb_clock_stop(void) {
    spb_clock_disable();
    switch_to(SYSCLK_HSI);
    spb_clock_off(RCC_CR_PLLON, RCC_CR_PLLRDY);
    reg_write(PLLCFGR, PLLCFGR_RESET);
    spb_clock_latency(WAIT_STATES_RESET << FLASH_ACR_LATENCY_POS);
    spb_power_stop();
}

uint32_t spb_clock_console_hz(void) { return SPB_CLOCK_HZ; }

uint32_t spb_clock_reset_flags(void) { return reg_read(CSR) >> 24; }
