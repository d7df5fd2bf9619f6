/* SPDX-License-Identifier: MIT */
/* pwr_g0.c - power of STM32G0 (IP pwr_g0).  RM0444 chapter 4.  After a reset and after Standby the regulator is in range 1,
 * which carries every clock (4.1.4, 4.4.1), and all pins are supplied. */
#include "power.h"
#include "power_gate.h"

void spb_power_start(void) {}

void spb_power_stop(void) {}

bool spb_power_standby(void) { return (spb_power_read(PWR_SR1_OFF) & PWR_SR1_SBF) != 0; }
