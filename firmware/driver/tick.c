/* SPDX-License-Identifier: MIT */
#include "tick.h"

#include "cortex.h"
#include "spb_chip.h"

static volatile uint32_t ticks;

void spb_tick_start(void) { spb_cortex_systick(SPB_CLOCK_HZ / 1000); }

void spb_tick_stop(void) { spb_cortex_systick(0); }

uint32_t spb_tick_ms(void) { return ticks; }

void spb_tick_interrupt(void) { ticks++; }

void spb_tick_slept(uint32_t cycles) { ticks += cycles / (SPB_CLOCK_HZ / 1000); }
