/* SPDX-License-Identifier: MIT */
#include "range.h"

#define EVEN 0x8000u            /* a model that says one half */

/* The first bits of a context move it far, later ones less: speed against precision. */
static const uint8_t rate[16] = {160, 98, 71, 56, 46, 39, 34, 30, 27, 24, 22, 19, 17, 15, 13, 12};

static uint32_t next_byte(struct spb_range *r) { return r->in < r->end ? *r->in++ : 0; }

void spb_range_start(struct spb_range *r) {
    r->range = 0xFFFFFFFF;
    for (uint32_t i = 0; i < 4; i++) r->code = r->code << 8 | next_byte(r);
}

static inline __attribute__((always_inline)) void learn(uint16_t *model, uint32_t bit) {
    uint32_t p = *model >> 4;
    uint32_t n = *model & 15u;
    if (bit) p = 4096 - p;
    p -= p * rate[n] >> 8;
    if (bit) p = 4096 - p;
    *model = (uint16_t)(p << 4 | (n < 15 ? n + 1 : n));
}

/* Most of the time of a decoder goes here: no calls.  p in 1 .. 4095 and range >= 2^24, so neither part is ever empty. */
static uint32_t decide(struct spb_range *r, uint16_t *one, uint16_t *other) {
    uint32_t range = r->range;
    uint32_t code = r->code;
    uint32_t bound = (range >> 12) * (((uint32_t)(*one >> 4) + (*other >> 4)) >> 1);
    uint32_t bit = code < bound;
    if (bit) {
        range = bound;
    } else {
        code -= bound;
        range -= bound;
    }
    while (range < 1u << 24) {
        range <<= 8;
        code = code << 8 | next_byte(r);
    }
    r->range = range;
    r->code = code;
    for (;; one = other) {
        learn(one, bit);
        if (one == other) return bit;
    }
}

uint32_t spb_range_mixed(struct spb_range *r, uint32_t one, uint32_t other) {
    return decide(r, r->models + one, r->models + other);
}

uint32_t spb_range_bit(struct spb_range *r, uint32_t model) { return spb_range_mixed(r, model, model); }

uint32_t spb_range_direct(struct spb_range *r, uint32_t bits) {
    uint32_t value = 0;
    while (bits--) {
        uint16_t even = EVEN;
        value = value << 1 | decide(r, &even, &even);
    }
    return value;
}

uint32_t spb_range_tree(struct spb_range *r, uint32_t first, uint32_t bits) {
    uint32_t m = 1;
    do m = m << 1 | spb_range_bit(r, first + m - 1);
    while (m >> bits == 0);
    return m - (1u << bits);
}
