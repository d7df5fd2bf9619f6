/* SPDX-License-Identifier: MIT */
#include "console.h"

#include <stdarg.h>

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

static void print(const struct spb_line *line, const char *format, va_list args) {
    for (; *format; format++) {
        if (*format != '%') {
            line->put((uint8_t)*format);
            continue;
        }
        switch (*++format) {
        case 's': put_text(line, va_arg(args, const char *)); break;
        case 'u': put_decimal(line, va_arg(args, uint32_t), 0, 0); break;
        case 'x': put_hex(line, va_arg(args, uint32_t)); break;
        case 'v': put_version(line, va_arg(args, uint32_t)); break;
        default: line->put('%'); break;
        }
    }
}

void spb_console_print(const struct spb_line *line, const char *format, ...) {
    va_list args;
    va_start(args, format);
    print(line, format, args);
    va_end(args);
}

void spb_console_log(const struct spb_line *line, const char *format, ...) {
    va_list args;
    uint32_t now = line->now_ms();
    line->put('[');
    put_decimal(line, now / 1000, 5, ' ');
    line->put('.');
    put_decimal(line, now % 1000, 3, '0');
    put_text(line, "] ");
    va_start(args, format);
    print(line, format, args);
    va_end(args);
    put_text(line, "\r\n");
}
