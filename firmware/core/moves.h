/* SPDX-License-Identifier: MIT */
/* moves.h - where things that OLD refers to went in NEW: a small map from old place to displacement, learnt while
 * decoding (spec/patch-stream.md).
 * A key is 24 bits: which space the place is in (code, data, small numbers), and the place there, in half-words.
 * A displacement is 24 bits, signed, in bytes. */
#ifndef SPB_MOVES_H
#define SPB_MOVES_H

#include <stdbool.h>
#include <stdint.h>

#include "spb_spec.h"

#define SPB_MOVES_NO_KEY 0xFFFFFFFFu

struct spb_moves {
    uint32_t key_age[SPB_DELTA_MOVES + 1];  /* key << 8 | age; one more for the place of the copy in progress */
    uint16_t low[SPB_DELTA_MOVES + 1];
    uint8_t high[SPB_DELTA_MOVES + 1];
    uint8_t count;
    uint8_t clock;
};

/* How well the neighbours of a key tell its displacement. */
enum spb_moves_class { SPB_MOVES_EXACT, SPB_MOVES_AGREED, SPB_MOVES_NEAR, SPB_MOVES_FAR };

struct spb_moves_guess {
    uint32_t first, second;     /* of the nearest entry, and of its neighbour on the other side */
    enum spb_moves_class class;
};

/* What the map says of key.  here_key (or SPB_MOVES_NO_KEY) moved by here counts as an entry, for this once. */
struct spb_moves_guess spb_moves_find(struct spb_moves *m, uint32_t key, uint32_t here_key, uint32_t here);

/* Learn it; the entry that was not used for longest goes. */
void spb_moves_put(struct spb_moves *m, uint32_t key, uint32_t displacement);

/* Displacement of the code entry that came nearest to place in NEW, otherwise when there is none. */
uint32_t spb_moves_nearest(const struct spb_moves *m, uint32_t place, uint32_t otherwise);

#endif
