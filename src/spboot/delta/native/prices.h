/* SPDX-License-Identifier: MIT */
/* prices.h - what the parser expects decisions to cost: learnt from the stream of the parse before, or usual values. */
#ifndef SPB_PRICES_H
#define SPB_PRICES_H

#include "tally.h"

struct spb_prices {
    spb_bits match[SPB_TALLY_STATES][SPB_TALLY_RUNS], change[SPB_TALLY_STATES][SPB_TALLY_RUNS],
        end[SPB_TALLY_STATES][SPB_TALLY_RUNS];
    spb_bits value[2][256], literal[2][256];
    spb_bits is_literal, is_copy;
    spb_bits hit[SPB_REFERENCE_KINDS], kept[SPB_REFERENCE_KINDS], moved[SPB_REFERENCE_KINDS],
        bytewise[SPB_REFERENCE_KINDS];
    spb_bits same, mapped, near[SPB_TALLY_NEAR], far, again, distance[SPB_TALLY_DISTANCES];
};

/* An empty tally gives the usual prices. */
void spb_prices_from(struct spb_prices *prices, const struct spb_tally *tally);

#endif
