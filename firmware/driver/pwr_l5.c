/* SPDX-License-Identifier: MIT */
/* pwr_l5.c - power of STM32L5 (IP pwr_l5).  RM0438 chapter 8.
 * Range 2, the one after reset, carries 26 MHz, range 1 80 MHz, range 0 110 MHz (RM0438 8.2.3).  PG2 to PG15 hang on
 * VDDIO2, off until IOSV is set (RM0438 8.1.4). */
#include "power.h"
#include "reg.h"
#include "spb_chip.h"

#define CR1 (PWR_BASE + PWR_CR1_OFF)
#define CR2 (PWR_BASE + PWR_CR2_OFF)
#define SR2 (PWR_BASE + PWR_SR2_OFF)

#define RANGE_2 2u
#define RANGE (SPB_CLOCK_HZ > 80000000u ? 0u : 1u)

static void set_range(uint32_t range) {
    reg_modify(CR1, PWR_CR1_VOS, range << PWR_CR1_VOS_POS);
    reg_wait(SR2, PWR_SR2_VOSF, 0);
}

void spb_power_start(void) {
    reg_set(RCC_BASE + SPB_PWR_ENABLE_OFF, SPB_PWR_ENABLE);
    (void)reg_read(RCC_BASE + SPB_PWR_ENABLE_OFF);
    if (SPB_NEEDS_VDDIO2) reg_set(CR2, PWR_CR2_IOSV);
    set_range(RANGE);
}

void spb_power_stop(void) {
    if (SPB_NEEDS_VDDIO2) reg_clear(CR2, PWR_CR2_IOSV);
    set_range(RANGE_2);
    reg_clear(RCC_BASE + SPB_PWR_ENABLE_OFF, SPB_PWR_ENABLE);
}

/* SBF; the facts call it by the name of the bit of SCR that clears it (RM0438 8.6.5).  PWR is clocked while we run. */
bool spb_power_standby(void) { return (reg_read(PWR_BASE + PWR_SR1_OFF) & PWR_SR1_CSBF) != 0; }
