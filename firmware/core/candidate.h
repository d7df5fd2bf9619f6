/* SPDX-License-Identifier: MIT */
/* candidate.h - writes NEW into SLOT1 as it streams in, only the pages that differ from SLOT0.
 * A page equal to SLOT0 costs nothing; at its first differing byte the page is erased in SLOT1 and what went before
 * in it is copied over, so no page buffer is needed.
 * C1  SLOT1 is read back only where this run has written it: old content may be torn (F3).
 * C2  Every program unit of a page is programmed at most once after its erase.
 * C3  With `fresh` SLOT0 is never read: it holds no valid image and may be torn. */
#ifndef SPB_CANDIDATE_H
#define SPB_CANDIDATE_H

#include "slot.h"

struct spb_candidate {
    uint32_t len;                       /* bytes of the slot streamed so far, header area included */
    bool open;                          /* the page of the last of them is ours */
    bool fresh;                         /* SLOT0 holds nothing to compare with */
    uint16_t seen;                      /* the page that was asked for last: 2 x its number + 2, and 1 if it is ours; or 0 */
    struct spb_pages pages;
    _Alignas(4) uint8_t unit[SPB_WRITE_SIZE];   /* bytes of a changed page not programmed yet: the last len % SPB_WRITE_SIZE */
};

/* c is all zero, as spb_engine_start() leaves it. */
void spb_candidate_init(struct spb_candidate *c, bool fresh);

/* The next byte of the slot. */
SPB_CHECKED enum spb_status spb_candidate_put(struct spb_candidate *c, uint8_t byte);

/* The next most bytes are those of SLOT0; returns how many of them are thereby taken, 0 in a page that is ours. */
uint32_t spb_candidate_same(struct spb_candidate *c, uint32_t most);

/* Program what is left of the last unit, padded with erased bytes. */
SPB_CHECKED enum spb_status spb_candidate_finish(struct spb_candidate *c);

/* What is to come is of the second part of the slot.  The last unit of the first one is programmed. */
SPB_CHECKED enum spb_status spb_candidate_rest(struct spb_candidate *c);

/* The byte at off, off < len, as put. */
uint8_t spb_candidate_get(struct spb_candidate *c, uint32_t off);

#endif
