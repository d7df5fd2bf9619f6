/* SPDX-License-Identifier: MIT */
/* pwr_range1.c - power of STM32G0 (IP pwr_g0, RM0444 4.1.4) and WL (IP pwr_wl5, RM0453 6.1.4): after a reset the
 * regulator is in range 1, which carries every clock, and all pins are supplied. */
#include "power.h"

void spb_power_start(void) {}

void spb_power_stop(void) {}
