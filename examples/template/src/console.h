/* SPDX-License-Identifier: MIT */
/* console.h - the board's UART: received into a ring by interrupts or DMA, sent by polling; and a clock of milliseconds.
 * The ring goes on filling while SE_PATCH_Data is busy with the flash. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdint.h>

#define CONSOLE_NOTHING (-1)

/* UART, its interrupt and SysTick; the clocks and pins of board_start() are there. */
void console_start(void);

/* The next byte; CONSOLE_NOTHING when none came within timeout_ms. */
int console_get(uint32_t timeout_ms);

void console_put(uint8_t byte);

/* Until all that was put has left. */
void console_flush(void);

/* Milliseconds since console_start(). */
uint32_t console_ms(void);

/* In console_text.c, by console_put(). */
void console_text(const char *text);
void console_number(uint32_t number);

/* For the vector table. */
void console_interrupt(void);
void console_tick(void);

#endif
