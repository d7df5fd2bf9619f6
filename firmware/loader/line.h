/* SPDX-License-Identifier: MIT */
/* line.h - the one serial line of the program, and its clock: what loader and console need.  Each program defines
 * these functions (boot/uart_line.c). */
#ifndef SPB_LINE_H
#define SPB_LINE_H

#include <stdint.h>

#define SPB_LINE_NOTHING (-1)

/* Send one byte; waits until there is room. */
void spb_line_put(uint8_t byte);

/* The next byte, or SPB_LINE_NOTHING after timeout_ms without one.  Feeds the watchdog while it waits. */
int spb_line_get(uint32_t timeout_ms);

/* Milliseconds since the start of the program; wraps at 2^32. */
uint32_t spb_line_ms(void);

#endif
