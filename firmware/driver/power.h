/* SPDX-License-Identifier: MIT */
/* power.h - the regulator and the supplies, whichever IP version drives them (pwr_l4.c ...). */
#ifndef SPB_POWER_H
#define SPB_POWER_H

/* The first thing after a reset, before RAM may be written: uses no stack. */
void spb_power_first(void);

/* The core voltage that SPB_CLOCK_HZ needs, and supply for the pins we use; before the clock goes up. */
void spb_power_start(void);

/* As after a reset; after the clock went down. */
void spb_power_stop(void);

#endif
