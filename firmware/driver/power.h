/* SPDX-License-Identifier: MIT */
/* power.h - the regulator and the supplies, whichever IP version drives them (pwr_l4.c ...). */
#ifndef SPB_POWER_H
#define SPB_POWER_H

#include <stdbool.h>

/* The first thing after a reset, before RAM may be written: uses no stack. */
void spb_power_first(void);

/* The core voltage that SPB_CLOCK_HZ needs, and supply for the pins we use; before the clock goes up. */
void spb_power_start(void);

/* As after a reset; after the clock went down. */
void spb_power_stop(void);

/* The chip was in Standby since this flag was cleared, which is left to the application.  No reset but that at power-on
 * clears it. */
bool spb_power_standby(void);

/* This start is a wake from Standby, and nothing else can have been its cause (reset_cause.c). */
bool spb_power_woke(void);

#endif
