/* SPDX-License-Identifier: MIT */
/* console.h - text for people, on the serial line. */
#ifndef SPB_CONSOLE_H
#define SPB_CONSOLE_H

#include "text.h"

/* The format is a literal in the call, never a variable: text that comes from elsewhere is an argument.
 * %s text, %t the sentence of a number (text.h), %u decimal, %w decimal in five columns, %z in three digits, %x eight
 * hexadecimal digits, %v version (8.16.8 bits), %% a percent sign. */
#define spb_console_print(...) spb_console_put(SPB_TEXT_MARK __VA_ARGS__)

/* The same with a time stamp "[    1.234] " in front and a line end behind. */
#define spb_console_log(...) spb_console_put_line(SPB_TEXT_MARK __VA_ARGS__)

/* What these make of it.  A sentence by its number is one that has no arguments, as those of [status] have none. */
void spb_console_put(enum spb_text format, ...);
void spb_console_put_line(enum spb_text format, ...);

#endif
