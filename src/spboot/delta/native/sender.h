/* SPDX-License-Identifier: MIT */
/* sender.h - range encoder: the counterpart of firmware/core/range.h.  Counts what everything costs on the way.
 * Decisions are the same as the decoder's, in the same order; models learn the same. */
#ifndef SPB_SENDER_H
#define SPB_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bits.h"

struct spb_sender {
    uint64_t low;
    uint32_t range;
    uint8_t cache;          /* the byte that a carry may still change, and behind it ... */
    uint64_t waiting;       /* ... bytes FF that a carry would change, too; 1 + their number */
    uint8_t *out;           /* malloc'ed; the first byte is no part of the stream */
    size_t len, size;
    bool failed;            /* out of memory */
    spb_bits spent;         /* price of all so far */
    const uint16_t *models; /* the first of all, ... */
    uint32_t (*counts)[2];  /* ... and how often each decided 0 and 1; NULL: not wanted */
    uint16_t price[4096];
};

void spb_sender_init(struct spb_sender *s, const uint16_t *models, uint32_t (*counts)[2]);
void spb_sender_free(struct spb_sender *s);

void spb_sender_bit(struct spb_sender *s, uint16_t *model, uint32_t bit);
void spb_sender_mixed(struct spb_sender *s, uint16_t *one, uint16_t *other, uint32_t bit);
void spb_sender_direct(struct spb_sender *s, uint32_t value, uint32_t bits);
void spb_sender_tree(struct spb_sender *s, uint16_t *models, uint32_t value, uint32_t bits);

/* End the stream; it begins at *stream, inside out, and has the length returned: at least 1 byte. */
size_t spb_sender_finish(struct spb_sender *s, const uint8_t **stream);

#endif
