/* SPDX-License-Identifier: MIT */
/* tick.h - milliseconds since the start of the bootloader, read from SysTick's counter: there is no interrupt that a core
 * at a standstill, while flash works, could miss.
 * N1  Right as long as spb_tick_ms() is called once in 2^24 cycles: 42 ms at 400 MHz. */
#ifndef SPB_TICK_H
#define SPB_TICK_H

#include <stdint.h>

void spb_tick_start(void);
void spb_tick_stop(void);
uint32_t spb_tick_ms(void);

/* So many cycles of SysTick passed while nobody could count them (ram_wait.c). */
void spb_tick_slept(uint32_t cycles);

#endif
