/* SPDX-License-Identifier: MIT */
/* open.h - the copies a parse has open at a position, and what going on with each costs. */
#ifndef SPB_OPEN_H
#define SPB_OPEN_H

#include "operation.h"
#include "places.h"
#include "prices.h"

enum { SPB_OPEN_KEPT = 48, SPB_OPEN_MOST = 256 };

struct spb_copy {
    uint32_t kind, moved, start;    /* displacement, and where in NEW it began */
    spb_bits price;                 /* of everything up to here */
    uint32_t promised;              /* place in NEW until which it is kept, whatever it costs */
    uint8_t inside;                 /* bytes of a reference still to pass */
    uint8_t run;                    /* bytes in a row as predicted, at most 200 */
    bool changed;                   /* the last surprise is near */
};

struct spb_open {
    const struct spb_pair *pair;
    const struct spb_places *places;
    const struct spb_prices *prices;
    spb_bits caution;
    uint32_t count;
    uint32_t best;                  /* of copies, the cheapest to end; SPB_OPEN_MOST: none can end */
    spb_bits best_price;
    struct spb_copy copies[SPB_OPEN_MOST];
};

void spb_open_init(struct spb_open *open, const struct spb_pair *pair, const struct spb_places *places,
                   const struct spb_prices *prices, spb_bits caution);

/* A copy could begin at np, and len bytes are known to be the same; price is that of everything before, and of beginning. */
void spb_open_add(struct spb_open *open, uint32_t kind, uint32_t moved, uint32_t np, uint32_t len,
                  spb_bits price);

/* Make the byte at np with all of them. */
void spb_open_advance(struct spb_open *open, uint32_t np);

/* The one that is cheapest to end now, NULL when there is none; *price includes the end. */
const struct spb_copy *spb_open_best(const struct spb_open *open, spb_bits *price);

/* Forget those that cost far more than limit, the price of the best way to np. */
void spb_open_prune(struct spb_open *open, uint32_t np, spb_bits limit);

#endif
