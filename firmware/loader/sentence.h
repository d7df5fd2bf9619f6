/* SPDX-License-Identifier: MIT */
/* sentence.h - unpacks a sentence of the table byte by byte.
 * A byte of the table from SPB_TEXT_PAIR on stands for two others, which may be such bytes again; the right one waits
 * while the left one is taken apart.  One from SPB_TEXT_END on has the zero that ends a sentence as its last.  Characters
 * from the space on are SPB_TEXT_SHIFT less than in ASCII, which leaves more bytes for pairs. */
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

/* The next character; 0 at the end, and not to be asked again after it. */
char spb_sentence_next(struct spb_sentence *s);

#endif
