/* SPDX-License-Identifier: MIT */
#include "sentence.h"

static const uint8_t pairs[][2] = SPB_TEXT_PAIRS;
static const uint8_t packed[] = SPB_TEXT_PACKED;

/* One after the other: a table of places would take more room than the search. */
void spb_sentence_open(struct spb_sentence *s, enum spb_text text) {
    const uint8_t *at = packed;
    for (uint32_t left = text; left > 0; left--) {
        uint32_t byte;
        do byte = *at++;
        while (byte != 0 && byte < SPB_TEXT_END);
    }
    s->at = at;
    s->free = s->waiting;
}

char spb_sentence_next(struct spb_sentence *s) {
    uint32_t byte = s->free != s->waiting ? *--s->free : *s->at++;
    while (byte >= SPB_TEXT_PAIR) {
        const uint8_t *pair = pairs[byte - SPB_TEXT_PAIR];
        *s->free++ = pair[1];
        byte = pair[0];
    }
    return (char)(byte < SPB_TEXT_SHIFTED ? byte : byte + SPB_TEXT_SHIFT);
}
