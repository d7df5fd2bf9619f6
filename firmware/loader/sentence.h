/* SPDX-License-Identifier: MIT */
/* sentence.h - unpacks a sentence of the table byte by byte.
 * A byte of the table from SPB_TEXT_PAIR on stands for a pair of bytes, each of which may stand for a pair again; the
 * second one waits while the first is unpacked.  Bytes from SPB_TEXT_END on unpack to something whose last byte is the
 * zero that ends a sentence.  Characters from the space on have SPB_TEXT_SHIFT less than in ASCII: that leaves more
 * bytes for pairs. */
#ifndef SPB_SENTENCE_H
#define SPB_SENTENCE_H

#include <stdint.h>

#include "spb_texts.h"
#include "text.h"

struct spb_sentence {
    const uint8_t *at;
    uint8_t *free;
    uint8_t waiting[SPB_TEXT_DEPTH];
};

void spb_sentence_open(struct spb_sentence *s, enum spb_text text);

/* The next character, 0 at the end of the sentence.  Do not call it again after that. */
char spb_sentence_next(struct spb_sentence *s);

#endif
