/* SPDX-License-Identifier: MIT */
/* open.h - the copies a parse has open at a position, and what going on with each costs. */
#ifndef SPB_OPEN_H
#define SPB_OPEN_H

#include "effort.h"
#include "operation.h"
#include "places.h"
#include "prices.h"
#include "sites.h"

enum { SPB_OPEN_MOST = 256 };

/* What the decoder remembers of copies that are over. */
struct spb_memory {
    uint32_t r0, distance;
};

struct spb_copy {
    uint32_t kind, moved, way;      /* displacement, and what it goes on from (parse.c) */
    struct spb_memory memory;       /* of then */
    spb_bits price;                 /* of everything up to here */
    uint32_t promised;              /* place in NEW until which it is kept, whatever it costs */
    uint8_t inside;                 /* bytes of a reference still to pass */
    uint8_t run;                    /* bytes in a row as predicted, at most 200 */
    bool changed;                   /* the last surprise is near */
};

struct spb_open {
    const struct spb_pair *pair;
    const struct spb_sites *old_sites, *new_sites;
    const struct spb_places *places;
    const struct spb_prices *prices;
    const struct spb_effort *effort;
    spb_bits caution;
    uint32_t count;
    uint32_t best;                  /* of copies, the cheapest to end; SPB_OPEN_MOST: none can end */
    spb_bits best_price;
    uint32_t keys[SPB_OPEN_MOST];   /* of copies: kind and displacement in one */
    struct spb_copy copies[SPB_OPEN_MOST];
};

/* Where a copy like fresh, or a dearer one, would stand; SPB_OPEN_MOST: it would be of no use. */
uint32_t spb_open_place(const struct spb_open *open, const struct spb_copy *fresh);

/* Put the copy there: it could begin at np, and len bytes are known to be the same; its price is that of everything
 * before, and of beginning. */
void spb_open_add(struct spb_open *open, uint32_t place, const struct spb_copy *fresh, uint32_t np,
                  uint32_t len);

/* How many bytes from np on, at most most, come as predicted by a copy?  Never ends inside a reference. */
uint32_t spb_open_sure(const struct spb_open *open, const struct spb_copy *copy, uint32_t np, uint32_t most);

/* Make the byte at np with all of them. */
void spb_open_advance(struct spb_open *open, uint32_t np);

/* The one that is cheapest to end now, NULL when there is none; *price includes the end. */
const struct spb_copy *spb_open_best(const struct spb_open *open, spb_bits *price);

/* Keep that one up to end, whatever it costs. */
void spb_open_promise(struct spb_open *open, uint32_t end);

/* Forget those that cost far more than limit, the price of the best way to np. */
void spb_open_prune(struct spb_open *open, uint32_t np, spb_bits limit);

#endif
