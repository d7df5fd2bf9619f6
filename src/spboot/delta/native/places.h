/* SPDX-License-Identifier: MIT */
/* places.h - where copies started from: for every byte of OLD, how far it moved in the parse before.  What the decoder's
 * map of moves will know, more or less. */
#ifndef SPB_PLACES_H
#define SPB_PLACES_H

#include <stdbool.h>

#include "operation.h"

#define SPB_PLACES_NONE INT32_MIN
#define SPB_PLACES_BLOCK 8u     /* log2 of its bytes */

/* Bytes of OLD, up to the next piece, that moved alike. */
struct spb_piece {
    uint32_t from;
    int32_t moved;      /* SPB_PLACES_NONE: not copied */
    int32_t filled;     /* the same, but then that of the last piece before that was copied */
};

struct spb_places {
    struct spb_piece *pieces;   /* from 0 on, and one that begins at UINT32_MAX */
    uint32_t *first;            /* per block of OLD: the piece that its first byte is in */
    uint32_t len;               /* bytes of OLD, 0: nothing known yet */
};

void spb_places_free(struct spb_places *places);

/* Learn from operations: of the copies of a byte, the longest counts.  False: out of memory. */
bool spb_places_learn(struct spb_places *places, uint32_t old_len, const struct spb_operations *operations);

/* The piece of a byte below len. */
static inline const struct spb_piece *spb_places_piece(const struct spb_places *places, uint32_t off) {
    const struct spb_piece *piece = places->pieces + places->first[off >> SPB_PLACES_BLOCK];
    while (piece[1].from <= off) piece++;
    return piece;
}

static inline int32_t spb_places_moved(const struct spb_places *places, uint32_t off) {
    return off < places->len ? spb_places_piece(places, off)->moved : SPB_PLACES_NONE;
}

#endif
