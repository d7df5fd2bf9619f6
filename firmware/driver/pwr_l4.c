/* SPDX-License-Identifier: MIT */
/* pwr_l4.c - power of STM32L4 and L4+ (IP pwr_l4).  RM0351, RM0432 chapter 5.
 * Range 1, the one after reset, carries 80 MHz.  PG2 to PG15 hang on VDDIO2, off until IOSV is set (RM0351 5.1.4). */
#include "power.h"
#include "power_gate.h"

#define CR2 (PWR_BASE + PWR_CR2_OFF)

void spb_power_start(void) {
    if (!SPB_NEEDS_VDDIO2) return;
    reg_set(RCC_BASE + SPB_PWR_ENABLE_OFF, SPB_PWR_ENABLE);
    (void)reg_read(RCC_BASE + SPB_PWR_ENABLE_OFF);
    reg_set(CR2, PWR_CR2_IOSV);
}

void spb_power_stop(void) {
    if (!SPB_NEEDS_VDDIO2) return;
    reg_clear(CR2, PWR_CR2_IOSV);
    reg_clear(RCC_BASE + SPB_PWR_ENABLE_OFF, SPB_PWR_ENABLE);
}

/* SBF; the facts call it by the name of the bit of SCR that clears it (RM0351 5.4.5). */
bool spb_power_standby(void) { return (spb_power_read(PWR_SR1_OFF) & PWR_SR1_CSBF) != 0; }
