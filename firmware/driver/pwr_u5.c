/* SPDX-License-Identifier: MIT */
/* pwr_u5.c - power of STM32U5 (IP pwr_u5).  RM0456 chapter 10.
 * Range 4, the one after a reset, carries 25 MHz and no PLL, range 1 160 MHz; the EPOD booster is needed above 55 MHz and
 * runs from the input of PLL1, which rcc_u5.c sets up before.  PG2 to PG15 hang on VDDIO2, off until IO2SV is set. */
#include "power.h"
#include "reg.h"
#include "spb_chip.h"

#define VOSR (PWR_BASE + PWR_VOSR_OFF)
#define SVMCR (PWR_BASE + PWR_SVMCR_OFF)
#define SVMSR (PWR_BASE + PWR_SVMSR_OFF)

#define RANGE_1 3u /* VOS */
#define RANGE_4 0u
#define BOOST (SPB_CLOCK_HZ > 55000000u ? PWR_VOSR_BOOSTEN : 0u)

static void set_range(uint32_t range) {
    reg_modify(VOSR, PWR_VOSR_VOS, range << PWR_VOSR_VOS_POS);
    reg_wait(VOSR, PWR_VOSR_VOSRDY, PWR_VOSR_VOSRDY);
    reg_wait(SVMSR, PWR_SVMSR_ACTVOSRDY, PWR_SVMSR_ACTVOSRDY);
}

void spb_power_start(void) {
    reg_set(RCC_BASE + SPB_PWR_ENABLE_OFF, SPB_PWR_ENABLE);
    (void)reg_read(RCC_BASE + SPB_PWR_ENABLE_OFF);
    if (SPB_NEEDS_VDDIO2) reg_set(SVMCR, PWR_SVMCR_IO2SV);
    set_range(RANGE_1);
    if (BOOST != 0) {
        reg_set(VOSR, BOOST);
        reg_wait(VOSR, PWR_VOSR_BOOSTRDY, PWR_VOSR_BOOSTRDY);
    }
}

void spb_power_stop(void) {
    if (BOOST != 0) {
        reg_clear(VOSR, BOOST);
        reg_wait(VOSR, PWR_VOSR_BOOSTRDY, 0);
    }
    if (SPB_NEEDS_VDDIO2) reg_clear(SVMCR, PWR_SVMCR_IO2SV);
    set_range(RANGE_4);
    reg_clear(RCC_BASE + SPB_PWR_ENABLE_OFF, SPB_PWR_ENABLE);
}

/* PWR is clocked while we run. */
bool spb_power_standby(void) { return (reg_read(PWR_BASE + PWR_SR_OFF) & PWR_SR_SBF) != 0; }
