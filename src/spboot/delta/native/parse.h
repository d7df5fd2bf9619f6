/* SPDX-License-Identifier: MIT */
/* parse.h - splits NEW into operations so that the stream gets short: dynamic programming over all positions of NEW.
 * At each position the cheapest way there is kept, and the copies that are open: each goes on over bytes that differ, at
 * their price, until it is far more expensive than the best.
 * Q1  The same input gives the same operations everywhere: prices are integers, ties go to what was there first. */
#ifndef SPB_PARSE_H
#define SPB_PARSE_H

#include "finder.h"
#include "places.h"
#include "prices.h"

/* Called now and then with the bytes of NEW that are done; false: stop. */
struct spb_progress {
    bool (*step)(void *context, uint64_t done, uint64_t total);
    void *context;
    uint64_t done, total;   /* bytes of work before this parse, and of all */
};

enum spb_parse_result { SPB_PARSE_DONE, SPB_PARSE_STOPPED, SPB_PARSE_NO_MEMORY };

struct spb_parse_input {
    const struct spb_pair *pair;
    const struct spb_sites *old_sites, *new_sites;
    struct spb_finder *finder;
    const struct spb_places *places;
    const struct spb_prices *prices;
    const struct spb_operations *before;    /* of the parse before: also tried */
    const struct spb_effort *effort;
    spb_bits caution;                       /* added to the price of ending a copy */
};

/* On success *operations has a list that the caller frees. */
enum spb_parse_result spb_parse(const struct spb_parse_input *input, struct spb_progress *progress,
                                struct spb_operations *operations);

#endif
