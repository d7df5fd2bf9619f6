/* SPDX-License-Identifier: MIT */
/* console_text.c - words and numbers on any console, byte by byte: the same in all examples. */
#include "console.h"

#define DIGITS 11u                      /* of 32 bits, and the end */

void console_text(const char *text) {
    while (*text != '\0') console_put((uint8_t)*text++);
}

void console_number(uint32_t number) {
    char digits[DIGITS], *at = digits + sizeof digits;
    *--at = '\0';
    do {
        *--at = (char)('0' + number % 10u);
        number /= 10u;
    } while (number != 0);
    console_text(at);
}
