/* SPDX-License-Identifier: MIT */
/* uart_line.h - the board's console UART as a line; the demo application uses it, too. */
#ifndef SPB_UART_LINE_H
#define SPB_UART_LINE_H

#include "line.h"

extern const struct spb_line spb_console;

#endif
