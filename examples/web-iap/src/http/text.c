/* SPDX-License-Identifier: MIT */
#include "text.h"

#include "spboot/spboot.h"

#define DIGITS 11u              /* of 32 bits, and the end */

struct text text_in(char *buffer, uint32_t size) {
    buffer[0] = '\0';
    return (struct text){.start = buffer, .size = size};
}

static void put(struct text *text, char byte) {
    if (text->size - text->len <= 1u) return;
    text->start[text->len++] = byte;
    text->start[text->len] = '\0';
}

void text_add(struct text *text, const char *words) {
    while (*words != '\0') put(text, *words++);
}

void text_number(struct text *text, uint32_t number) {
    char digits[DIGITS], *at = digits + sizeof digits;
    *--at = '\0';
    do {
        *--at = (char)('0' + number % 10u);
        number /= 10u;
    } while (number != 0);
    text_add(text, at);
}

void text_version(struct text *text, uint32_t version) {
    text_number(text, FW_VERSION_MAJOR(version));
    put(text, '.');
    text_number(text, FW_VERSION_MINOR(version));
    put(text, '.');
    text_number(text, FW_VERSION_PATCH(version));
}

void text_quoted(struct text *text, const char *words) {
    for (; *words != '\0'; words++) {
        if (*words == '"' || *words == '\\') put(text, '\\');
        put(text, (unsigned char)*words >= ' ' ? *words : ' ');
    }
}
