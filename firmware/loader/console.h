/* SPDX-License-Identifier: MIT */
/* console.h - text for people, on a serial line. */
#ifndef SPB_CONSOLE_H
#define SPB_CONSOLE_H

#include "line.h"

/* Formats: %s text, %u decimal, %x eight hexadecimal digits, %v version (8.16.8 bits), %% a percent sign. */
void spb_console_print(const struct spb_line *line, const char *format, ...);

/* A time stamp "[    1.234] " in front, a line end behind. */
void spb_console_log(const struct spb_line *line, const char *format, ...);

#endif
