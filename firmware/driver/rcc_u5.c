/* SPDX-License-Identifier: MIT */
/* rcc_u5.c - clocks of STM32U5 (IP rcc_u5): HSI 16 MHz through PLL1.  RM0456 chapter 11.
 * Not MSIS, on which the core starts: after Standby it has the range that an application chose. */
#include "clock.h"
#include "clock_steps.h"
#include "power.h"
#include "reg.h"
#include "spb_chip.h"

#define PLLCFGR (RCC_BASE + RCC_PLL1CFGR_OFF)
#define PLLDIVR (RCC_BASE + RCC_PLL1DIVR_OFF)
#define CSR (RCC_BASE + RCC_CSR_OFF)

#define PLL_IN_HZ 4000000u              /* HSI / 4; PLLRGE 0 is 4 to 8 MHz, PLLMBOOST 0 gives the booster 16 MHz of HSI */
#define PLL_M 3u
#define PLL_R (SPB_CLOCK_HZ >= 64000000u ? 2u : 4u) /* VCO 128 .. 544 MHz */
#define PLL_N (SPB_CLOCK_HZ / PLL_IN_HZ * PLL_R)
#define SOURCE_HSI 2u                   /* PLLSRC */
#define SYSCLK_PLL 3u                   /* SW */
#define WAIT_STATES 4u                  /* up to 160 MHz in range 1 */
#define PLLDIVR_RESET 0x01010280u

_Static_assert(SPB_CLOCK_HZ % PLL_IN_HZ == 0, "clock_hz is a multiple of 4 MHz");
_Static_assert(SPB_CLOCK_HZ >= 32000000u && SPB_CLOCK_HZ <= SPB_CLOCK_MAX_HZ, "clock_hz is 32 .. 160 MHz");

/* PLLCFGR before the power: the booster starts when PLL1 has an input.  PLLREN, as all but N, is set while PLL1 is off. */
void spb_clock_start(void) {
    spb_clock_on(RCC_CR_HSION, RCC_CR_HSIRDY);
    reg_write(PLLCFGR, SOURCE_HSI << RCC_PLL1CFGR_PLLSRC_POS | PLL_M << RCC_PLL1CFGR_PLLM_POS | RCC_PLL1CFGR_PLLREN);
    reg_write(PLLDIVR, (PLL_N - 1u) << RCC_PLL1DIVR_PLLN_POS | (PLL_R - 1u) << RCC_PLL1DIVR_PLLR_POS);
    spb_power_start();
    spb_clock_latency(WAIT_STATES << FLASH_ACR_LATENCY_POS);
    spb_clock_on(RCC_CR_PLLON0, RCC_CR_PLLRDY0);
    spb_clock_switch(SYSCLK_PLL);
    spb_clock_enable();
}

/* An application that sets PLL1 up anew while it runs from it would hang: it finds MSIS. */
void spb_clock_stop(void) {
    spb_clock_disable();
    spb_clock_switch(0);
    spb_clock_off(RCC_CR_PLLON0, RCC_CR_PLLRDY0);
    spb_clock_latency(0);
    spb_power_stop();
    reg_write(PLLCFGR, 0);
    reg_write(PLLDIVR, PLLDIVR_RESET);
    spb_clock_off(RCC_CR_HSION, RCC_CR_HSIRDY);
}

uint32_t spb_clock_console_hz(void) { return SPB_CLOCK_HZ; }

uint32_t spb_clock_reset_flags(void) { return reg_read(CSR) >> 24; }
