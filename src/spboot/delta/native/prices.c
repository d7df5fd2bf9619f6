/* SPDX-License-Identifier: MIT */
#include "prices.h"

#define PARTS(a, b) (((a) * 3 + (b) * 7) / 10)

/* What firmware usually costs, in hundredths of a bit, and how many observations outweigh it. */
static const uint16_t usual_match[SPB_TALLY_RUNS] = {60, 50, 40, 30, 20, 15, 8, 2};
static const uint16_t usual_end[SPB_TALLY_RUNS] = {500, 500, 550, 600, 600, 700, 800, 1100};

static void set_flags(struct spb_prices *prices, const struct spb_tally *tally) {
    for (uint32_t s = 0; s < SPB_TALLY_STATES; s++) {
        for (uint32_t r = 0; r < SPB_TALLY_RUNS; r++) {
            prices->match[s][r] = spb_mean_of(&tally->match[s][r], SPB_BITS(usual_match[r]), 20);
            prices->change[s][r] = spb_mean_of(&tally->change[s][r], SPB_BITS(usual_end[r]), 6);
            prices->end[s][r] = spb_mean_of(&tally->end[s][r], SPB_BITS(usual_end[r]), 6);
        }
    }
}

static void set_values(struct spb_prices *prices, const struct spb_tally *tally) {
    spb_bits value = spb_mean_of(&tally->all_values, SPB_BITS(600), 20) + SPB_BITS(100);
    spb_bits literal = spb_mean_of(&tally->all_literals, SPB_BITS(700), 20) + SPB_BITS(80);
    for (uint32_t v = 0; v < 256; v++) {
        for (uint32_t c = 0; c < 2; c++) prices->value[c][v] = spb_mean_of(&tally->value[c][v], value, 3);
        for (uint32_t c = 0; c < 2; c++) prices->literal[c][v] = spb_mean_of(&tally->literal[c][v], literal, 3);
    }
}

static void set_references(struct spb_prices *prices, const struct spb_tally *tally) {
    for (uint32_t kind = 0; kind < SPB_REFERENCE_KINDS; kind++) {
        prices->hit[kind] = spb_mean_of(&tally->hit[kind], SPB_BITS(15), 10);
        prices->kept[kind] = spb_mean_of(&tally->kept[kind], SPB_BITS(500), 3);
        prices->moved[kind] = spb_mean_of(&tally->moved[kind], SPB_BITS(1400), 3);
        prices->bytewise[kind] = spb_mean_of(&tally->bytewise[kind], SPB_BITS(500), 3);
    }
}

void spb_prices_from(struct spb_prices *prices, const struct spb_tally *tally) {
    set_flags(prices, tally);
    set_values(prices, tally);
    set_references(prices, tally);
    prices->is_copy = PARTS(spb_mean_of(&tally->is_copy[1], SPB_BITS(100), 4),
                            spb_mean_of(&tally->is_copy[0], SPB_BITS(150), 4));
    prices->is_literal = spb_mean_of(&tally->is_literal, SPB_BITS(70), 20);
    prices->same = PARTS(spb_mean_of(&tally->same[0], SPB_BITS(150), 4), spb_mean_of(&tally->same[1], SPB_BITS(150), 4));
    prices->mapped = spb_mean_of(&tally->mapped, SPB_BITS(400), 4);
    for (uint32_t i = 0; i < SPB_TALLY_NEAR; i++) {
        prices->near[i] = spb_mean_of(&tally->near[i], SPB_BITS(700 + 100 * i), 4);
    }
    prices->far = spb_mean_of(&tally->far, SPB_BITS(2200), 4);
    prices->again = spb_mean_of(&tally->again, SPB_BITS(800), 4);
    for (uint32_t i = 0; i < SPB_TALLY_DISTANCES; i++) {
        prices->distance[i] = spb_mean_of(&tally->distance[i], SPB_BITS(600 + 90 * i), 4);
    }
}
