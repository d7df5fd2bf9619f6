/* SPDX-License-Identifier: MIT */
#include "console.h"

#include <stdarg.h>

#include "line.h"
#include "sentence.h"

static void put_text(const char *text) {
    while (*text) spb_line_put((uint8_t)*text++);
}

static void put_decimal(uint32_t value, uint32_t width, char pad) {
    uint8_t digits[10], *end = digits;
    do {
        *end++ = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (uint32_t n = (uint32_t)(end - digits); n < width; n++) spb_line_put((uint8_t)pad);
    do spb_line_put(*--end);
    while (end != digits);
}

static void put_hex(uint32_t value) {
    for (uint32_t shift = 32; shift > 0;) {
        uint32_t digit = value >> (shift -= 4) & 15;
        spb_line_put((uint8_t)(digit < 10 ? '0' + digit : 'a' - 10 + digit));
    }
}

static void put_version(uint32_t version) {
    put_decimal(version >> 24, 0, 0);
    spb_line_put('.');
    put_decimal(version >> 8 & 0xFFFF, 0, 0);
    spb_line_put('.');
    put_decimal(version & 0xFF, 0, 0);
}

static void put_sentence(enum spb_text text) {
    struct spb_sentence s;
    spb_sentence_open(&s, text);
    for (char c; (c = spb_sentence_next(&s)) != '\0';) spb_line_put((uint8_t)c);
}

static void print(enum spb_text format, va_list args) {
    struct spb_sentence s;
    spb_sentence_open(&s, format);
    for (char c; (c = spb_sentence_next(&s)) != '\0';) {
        if (c > SPB_TEXT_ARG_LAST) {
            spb_line_put((uint8_t)c);
            continue;
        }
        uint32_t value = va_arg(args, uint32_t);        /* a pointer is as long */
        switch (c) {
        case SPB_TEXT_ARG_S: put_text((const char *)value); break;
        case SPB_TEXT_ARG_T: put_sentence((enum spb_text)value); break;
        case SPB_TEXT_ARG_W: put_decimal(value, 5, ' '); break;
        case SPB_TEXT_ARG_Z: put_decimal(value, 3, '0'); break;
        case SPB_TEXT_ARG_X: put_hex(value); break;
        case SPB_TEXT_ARG_V: put_version(value); break;
        default: put_decimal(value, 0, 0); break;
        }
    }
}

void spb_console_put(enum spb_text format, ...) {
    va_list args;
    va_start(args, format);
    print(format, args);
    va_end(args);
}

void spb_console_put_line(enum spb_text format, ...) {
    va_list args;
    uint32_t now = spb_line_ms();
    spb_console_print("[%w.%z] ", now / 1000, now % 1000);
    va_start(args, format);
    print(format, args);
    va_end(args);
    spb_console_print("\r\n");
}
