/* SPDX-License-Identifier: MIT */
/* rcc_h5.c - clocks of STM32H5 (IP rcc_h5): HSI 64 MHz, or what its divider makes of it, through PLL1.  RM0481 chapter 11.
 * The divider is left as it is found, so that it is as after a reset at the end: HSI / M is 4 MHz either way. */
#include "clock.h"
#include "clock_steps.h"
#include "power.h"
#include "reg.h"
#include "spb_chip.h"

#define CR (RCC_BASE + RCC_CR_OFF)
#define PLLCFGR (RCC_BASE + RCC_PLLCFGR0_OFF)
#define PLLDIVR (RCC_BASE + RCC_PLLDIVR0_OFF)
#define RSR (RCC_BASE + RCC_RSR_OFF)
#define ACR (FLASH_BASE + FLASH_ACR_OFF)

#define INPUT_HZ 4000000u
#define HSI_INPUTS 16u                  /* of 4 MHz in 64 MHz */
#define INPUT_RANGE 2u                  /* PLLRGE: 4 to 8 MHz */
#define PLL_P (SPB_CLOCK_HZ >= 64000000u ? 2u : 4u) /* VCO 128 .. 560 MHz */
#define PLL_N (SPB_CLOCK_HZ / (INPUT_HZ / 2u) * PLL_P / 2u)
#define SOURCE_HSI 1u                   /* PLLSRC */
#define SYSCLK_PLL 3u                   /* SW */
#define PLLDIVR_RESET 0x01010280u

/* 42 MHz for each wait state in scale 0, and a delay of the flash's signals for each two: RM0481 table 37. */
#define WAIT_STATES ((SPB_CLOCK_HZ - 1u) / 42000000u)
#define LATENCY (WAIT_STATES << FLASH_ACR_LATENCY_POS | WAIT_STATES / 2u << FLASH_ACR_WRHIGHFREQ_POS)
#define LATENCY_RESET 0x13u

_Static_assert(SPB_CLOCK_HZ % (INPUT_HZ / 2u) == 0, "clock_hz is a multiple of 2 MHz");
_Static_assert(SPB_CLOCK_HZ >= 32000000u && SPB_CLOCK_HZ <= SPB_CLOCK_MAX_HZ, "clock_hz is 32 .. 250 MHz");

static void set_latency(uint32_t bits) {
    reg_write(ACR, bits);
    reg_wait(ACR, FLASH_ACR_LATENCY | FLASH_ACR_WRHIGHFREQ, bits);
}

void spb_clock_start(void) {
    uint32_t divider = (reg_read(CR) & RCC_CR_HSIDIV) >> RCC_CR_HSIDIV_POS;
    spb_power_start();
    reg_write(PLLCFGR, SOURCE_HSI << RCC_PLLCFGR0_PLLSRC_POS | INPUT_RANGE << RCC_PLLCFGR0_PLLRGE_POS |
                           HSI_INPUTS >> divider << RCC_PLLCFGR0_DIVM_POS | RCC_PLLCFGR0_PLLPEN);
    reg_write(PLLDIVR, (PLL_N - 1u) << RCC_PLLDIVR0_PLLN_POS | (PLL_P - 1u) << RCC_PLLDIVR0_PLLP_POS);
    spb_clock_on(RCC_CR_PLLON0, RCC_CR_PLLRDY0);
    set_latency(LATENCY);
    spb_clock_switch(SYSCLK_PLL);
    spb_clock_enable();
}

void spb_clock_stop(void) {
    spb_clock_disable();
    spb_clock_switch(0);
    spb_clock_off(RCC_CR_PLLON0, RCC_CR_PLLRDY0);
    reg_write(PLLCFGR, 0);
    reg_write(PLLDIVR, PLLDIVR_RESET);
    set_latency(LATENCY_RESET);
    spb_power_stop();
}

uint32_t spb_clock_console_hz(void) { return SPB_CLOCK_HZ; }

uint32_t spb_clock_reset_flags(void) { return reg_read(RSR) >> 24; }
