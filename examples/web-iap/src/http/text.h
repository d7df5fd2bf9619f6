/* SPDX-License-Identifier: MIT */
/* text.h - words and numbers one behind the other in a buffer; what does not fit is left out. */
#ifndef TEXT_H
#define TEXT_H

#include <stdint.h>

struct text {
    char *start;
    uint32_t size, len;         /* of the buffer, and of what is in it, without the NUL behind it */
};

struct text text_in(char *buffer, uint32_t size);
void text_add(struct text *text, const char *words);
void text_number(struct text *text, uint32_t number);

/* A version as 8.16.8 bits. */
void text_version(struct text *text, uint32_t version);

/* As the inside of a string of JSON. */
void text_quoted(struct text *text, const char *words);

#endif
