/* SPDX-License-Identifier: MIT */
/* tick.h - milliseconds since the start of the bootloader. */
#ifndef SPB_TICK_H
#define SPB_TICK_H

#include <stdint.h>

void spb_tick_start(void);
void spb_tick_stop(void);
uint32_t spb_tick_ms(void);
void spb_tick_interrupt(void);

/* So many cycles of SysTick passed while nobody could count them (ram_wait.c). */
void spb_tick_slept(uint32_t cycles);

#endif
