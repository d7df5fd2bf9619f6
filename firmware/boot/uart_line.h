/* SPDX-License-Identifier: MIT */
/* uart_line.h - the board's console UART as a line, polled.
 * Text of the bootloader goes through a ring of SPB_LINE_ROOM bytes, sent on while it hashes and waits: the start of an
 * application does not wait for its banner.  An application that has a line printed (SE_PATCH_PrintStatus) has no ring. */
#ifndef SPB_UART_LINE_H
#define SPB_UART_LINE_H

#include "line.h"

#define SPB_LINE_ROOM 256u

/* The UART is the bootloader's from here on. */
void spb_line_start(void);

/* All that was put has left. */
void spb_line_flush(void);

/* What a long piece of work calls every few milliseconds: feeds the watchdog; in the bootloader also sends on and keeps
 * the clock. */
void spb_line_alive(void);

/* Before an application's text: once the UART holds a byte up for too long, the rest is dropped. */
void spb_line_borrow(void);

#endif
