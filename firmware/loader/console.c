/* SPDX-License-Identifier: MIT */
#include "console.h"

#include <stdarg.h>

#include "sentence.h"

static void put_text(const struct spb_line *line, const char *text) {
    while (*text) line->put((uint8_t)*text++);
}

static void put_decimal(const struct spb_line *line, uint32_t value, uint32_t width, char pad) {
    char digits[10];
    uint32_t n = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (width > n) {
        line->put((uint8_t)pad);
        width--;
    }
    while (n > 0) line->put((uint8_t)digits[--n]);
}

static void put_hex(const struct spb_line *line, uint32_t value) {
    for (uint32_t shift = 32; shift > 0; shift -= 4) line->put((uint8_t)"0123456789abcdef"[value >> (shift - 4) & 15]);
}

static void put_version(const struct spb_line *line, uint32_t version) {
    put_decimal(line, version >> 24, 0, 0);
    line->put('.');
    put_decimal(line, version >> 8 & 0xFFFF, 0, 0);
    line->put('.');
    put_decimal(line, version & 0xFF, 0, 0);
}

static void put_sentence(const struct spb_line *line, enum spb_text text) {
    struct spb_sentence s;
    spb_sentence_open(&s, text);
    for (char c; (c = spb_sentence_next(&s)) != '\0';) line->put((uint8_t)c);
}

static void print(const struct spb_line *line, enum spb_text format, va_list args) {
    struct spb_sentence s;
    spb_sentence_open(&s, format);
    for (char c; (c = spb_sentence_next(&s)) != '\0';) {
        switch (c) {
        case SPB_TEXT_ARG_S: put_text(line, va_arg(args, const char *)); break;
        case SPB_TEXT_ARG_T: put_sentence(line, (enum spb_text)va_arg(args, uint32_t)); break;
        case SPB_TEXT_ARG_U: put_decimal(line, va_arg(args, uint32_t), 0, 0); break;
        case SPB_TEXT_ARG_W: put_decimal(line, va_arg(args, uint32_t), 5, ' '); break;
        case SPB_TEXT_ARG_Z: put_decimal(line, va_arg(args, uint32_t), 3, '0'); break;
        case SPB_TEXT_ARG_X: put_hex(line, va_arg(args, uint32_t)); break;
        case SPB_TEXT_ARG_V: put_version(line, va_arg(args, uint32_t)); break;
        default: line->put((uint8_t)c); break;
        }
    }
}

void spb_console_put(const struct spb_line *line, enum spb_text format, ...) {
    va_list args;
    va_start(args, format);
    print(line, format, args);
    va_end(args);
}

void spb_console_put_line(const struct spb_line *line, enum spb_text format, ...) {
    va_list args;
    uint32_t now = line->now_ms();
    spb_console_print(line, "[%w.%z] ", now / 1000, now % 1000);
    va_start(args, format);
    print(line, format, args);
    va_end(args);
    spb_console_print(line, "\r\n");
}
