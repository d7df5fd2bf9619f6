/* SPDX-License-Identifier: MIT */
/* finder.h - finds places in OLD and earlier NEW that begin like a place in NEW.
 * It compares canonical images: a branch or pointer there shows its target, moved as the parse before moved it, so that
 * code is found again although everything it calls has moved. */
#ifndef SPB_FINDER_H
#define SPB_FINDER_H

#include "effort.h"
#include "operation.h"
#include "places.h"

/* Positions of OLD by the bytes that begin there. */
struct spb_index {
    const uint8_t *bytes;
    uint32_t width, bits;
    uint32_t *first;    /* per hash: where its positions begin in list */
    uint32_t *list;     /* positions, ascending within a hash */
};

/* Positions of NEW that were asked for, by the bytes that begin there.  They are known by their number there, from 1. */
struct spb_past {
    uint32_t width, bits;
    uint32_t *newest;   /* per hash; 0: none */
    uint32_t *before;   /* per number: the next older with the same hash */
};

struct spb_finder {
    const struct spb_effort *effort;
    uint8_t *old_bytes, *new_bytes;     /* canonical */
    uint32_t old_len, new_len;
    struct spb_index old_wide, old_long, old_short;
    struct spb_past new_wide, new_long, new_short;
    uint32_t *asked;                    /* per number: the position */
    uint32_t count;
};

struct spb_found {
    uint32_t kind, source;      /* enum spb_operation_kind: OLD or NEW */
    uint32_t len;               /* bytes that are known to be the same */
};

enum { SPB_FINDER_MOST = 80 };

bool spb_finder_init(struct spb_finder *finder, const struct spb_pair *pair, const struct spb_places *places,
                     const struct spb_effort *effort);
void spb_finder_free(struct spb_finder *finder);

/* Candidates for a copy to np, best near to expected in OLD; returns how many of the SPB_FINDER_MOST were filled.
 * Positions have to ascend from call to call: copies from NEW come from those. */
uint32_t spb_finder_find(struct spb_finder *finder, uint32_t np, uint32_t expected, struct spb_found *found);

#endif
