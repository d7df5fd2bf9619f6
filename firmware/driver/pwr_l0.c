/* SPDX-License-Identifier: MIT */
/* pwr_l0.c - power of STM32L0 (IP pwr_l0).  RM0367, RM0377 chapter 6.
 * Range 2, the one after reset, carries 16 MHz, range 1 32 MHz (RM0367 6.1.4). */
#include "power.h"
#include "reg.h"
#include "spb_chip.h"

#define CR (PWR_BASE + PWR_CR_OFF)
#define CSR (PWR_BASE + PWR_CSR_OFF)

#define RANGE_1 1u
#define RANGE_2 2u

static void set_range(uint32_t range) {
    reg_wait(CSR, PWR_CSR_VOSF, 0);
    reg_modify(CR, PWR_CR_VOS, range << PWR_CR_VOS_POS);
    reg_wait(CSR, PWR_CSR_VOSF, 0);
}

void spb_power_start(void) {
    reg_set(RCC_BASE + SPB_PWR_ENABLE_OFF, SPB_PWR_ENABLE);
    (void)reg_read(RCC_BASE + SPB_PWR_ENABLE_OFF);
    set_range(RANGE_1);
}

void spb_power_stop(void) {
    set_range(RANGE_2);
    reg_clear(RCC_BASE + SPB_PWR_ENABLE_OFF, SPB_PWR_ENABLE);
}

/* PWR is clocked while we run. */
bool spb_power_standby(void) { return (reg_read(CSR) & PWR_CSR_SBF) != 0; }
