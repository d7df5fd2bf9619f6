/* SPDX-License-Identifier: MIT */
#include "clock.h"
#include "power.h"

/* A wake sets no reset flag, and the flag of Standby outlives resets: where both are set, either may have come last.  In
 * doubt it is no wake. */
bool spb_power_woke(void) { return spb_clock_reset_flags() == 0 && spb_power_standby(); }
