/* SPDX-License-Identifier: MIT */
/* pwr_wl.c - power of STM32WL (IP pwr_wl5), always clocked.  RM0453 chapter 6.  After a reset and after Standby the regulator
 * is in range 1, which carries every clock (6.1.4, 6.6.1), and all pins are supplied. */
#include "power.h"
#include "reg.h"
#include "spb_chip.h"

void spb_power_start(void) {}

void spb_power_stop(void) {}

bool spb_power_standby(void) { return (reg_read(PWR_BASE + PWR_EXTSCR_OFF) & PWR_EXTSCR_C1SBF) != 0; }
