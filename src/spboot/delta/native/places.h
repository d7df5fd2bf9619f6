/* SPDX-License-Identifier: MIT */
/* places.h - where copies started from: for every byte of OLD, how far it moved in the parse before.  What the decoder's
 * map of moves will know, more or less. */
#ifndef SPB_PLACES_H
#define SPB_PLACES_H

#include <stdbool.h>

#include "operation.h"

#define SPB_PLACES_NONE INT32_MIN

struct spb_places {
    int32_t *moved;     /* per byte of OLD; SPB_PLACES_NONE: not copied */
    int32_t *filled;    /* the same, with the last one before in the gaps */
    uint32_t len;       /* bytes of OLD, 0: nothing known yet */
};

bool spb_places_init(struct spb_places *places, uint32_t old_len);
void spb_places_free(struct spb_places *places);

/* Learn from operations: of the copies of a byte, the longest counts. */
bool spb_places_learn(struct spb_places *places, uint32_t old_len, const struct spb_operations *operations);

static inline int32_t spb_places_moved(const struct spb_places *places, uint32_t off) {
    return off < places->len ? places->moved[off] : SPB_PLACES_NONE;
}

#endif
