/* SPDX-License-Identifier: MIT */
/* pwr_g4.c - power of STM32G4 (IP pwr_g4): range 1, in boost mode above 150 MHz.  RM0440 6.1.5.
 * R1MODE outlives every reset but that at power-on (6.4.22), so it is set back before an application starts. */
#include "power.h"
#include "power_gate.h"

#define CR5 (PWR_BASE + PWR_CR5_OFF)
#define NORMAL_HZ 150000000u

void spb_power_start(void) {
    if (SPB_CLOCK_HZ <= NORMAL_HZ) return;
    reg_set(RCC_BASE + SPB_PWR_ENABLE_OFF, SPB_PWR_ENABLE);
    (void)reg_read(RCC_BASE + SPB_PWR_ENABLE_OFF);
    reg_clear(CR5, PWR_CR5_R1MODE);
}

void spb_power_stop(void) {
    if (SPB_CLOCK_HZ <= NORMAL_HZ) return;
    reg_set(CR5, PWR_CR5_R1MODE);
    reg_clear(RCC_BASE + SPB_PWR_ENABLE_OFF, SPB_PWR_ENABLE);
}

bool spb_power_standby(void) { return (spb_power_read(PWR_SR1_OFF) & PWR_SR1_SBF) != 0; }
