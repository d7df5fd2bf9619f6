/* SPDX-License-Identifier: MIT */
/* clock_steps.h - steps that the clock drivers share (rcc_l4.c ...), for those whose registers have these names. */
#ifndef SPB_CLOCK_STEPS_H
#define SPB_CLOCK_STEPS_H

#include "reg.h"
#include "spb_chip.h"
#include "text.h"

#ifdef RCC_CFGR1_OFF    /* where CFGR became several registers, the switch is in the first */
#define RCC_CFGR_OFF RCC_CFGR1_OFF
#define RCC_CFGR_SW RCC_CFGR1_SW
#define RCC_CFGR_SW_POS RCC_CFGR1_SW_POS
#define RCC_CFGR_SWS RCC_CFGR1_SWS
#define RCC_CFGR_SWS_POS RCC_CFGR1_SWS_POS
#endif

/* Wait states of the flash, as bits of ACR; they count once they read back (RM0351 3.3.3). */
static inline void spb_clock_latency(uint32_t bits) {
    reg_modify(FLASH_BASE + FLASH_ACR_OFF, FLASH_ACR_LATENCY, bits);
    reg_wait(FLASH_BASE + FLASH_ACR_OFF, FLASH_ACR_LATENCY, bits);
}

/* The system clock from source, a value of SW. */
static inline void spb_clock_switch(uint32_t source) {
    reg_modify(RCC_BASE + RCC_CFGR_OFF, RCC_CFGR_SW, source << RCC_CFGR_SW_POS);
    reg_wait(RCC_BASE + RCC_CFGR_OFF, RCC_CFGR_SWS, source << RCC_CFGR_SWS_POS);
}

/* An oscillator or PLL by its bits in CR. */
static inline void spb_clock_on(uint32_t on, uint32_t ready) {
    reg_set(RCC_BASE + RCC_CR_OFF, on);
    reg_wait(RCC_BASE + RCC_CR_OFF, ready, ready);
}

static inline void spb_clock_off(uint32_t on, uint32_t ready) {
    reg_clear(RCC_BASE + RCC_CR_OFF, on);
    reg_wait(RCC_BASE + RCC_CR_OFF, ready, 0);
}

#endif
