/* SPDX-License-Identifier: MIT */
#include "moves.h"

#define SPACE(key) ((key) >> 22)
#define NEAR 512u               /* half-words */
#define NONE 0xFFFFFFFFu

static uint32_t key_of(const struct spb_moves *m, uint32_t i) { return m->key_age[i] >> 8; }

static uint32_t displacement_of(const struct spb_moves *m, uint32_t i) {
    uint32_t value = (uint32_t)m->high[i] << 16 | m->low[i];
    return (value ^ 0x800000) - 0x800000;
}

static void set(struct spb_moves *m, uint32_t i, uint32_t key, uint32_t displacement) {
    m->key_age[i] = key << 8 | m->clock;
    m->low[i] = (uint16_t)displacement;
    m->high[i] = (uint8_t)(displacement >> 16);
}

struct spb_moves_guess spb_moves_find(struct spb_moves *m, uint32_t key, uint32_t here_key, uint32_t here) {
    struct spb_moves_guess guess = {0, 0, SPB_MOVES_FAR};
    uint32_t below = NONE, above = NONE, lower = 0, upper = 0, count = m->count;
    if (here_key != SPB_MOVES_NO_KEY) set(m, count++, here_key, here);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t k = key_of(m, i);
        if (SPACE(k ^ key) != 0) continue;
        if (k <= key && key - k < below) {
            below = key - k;
            lower = i;
        } else if (k > key && k - key < above) {
            above = k - key;
            upper = i;
        }
    }
    if (below == NONE && above == NONE) return guess;
    bool up = above < below;
    uint32_t nearest = up ? upper : lower;
    uint32_t distance = up ? above : below;
    bool two = (up ? below : above) != NONE;
    guess.first = displacement_of(m, nearest);
    if (two) guess.second = displacement_of(m, up ? lower : upper);
    guess.class = distance == 0                         ? SPB_MOVES_EXACT
                  : two && guess.first == guess.second ? SPB_MOVES_AGREED
                  : distance < NEAR                    ? SPB_MOVES_NEAR
                                                       : SPB_MOVES_FAR;
    m->key_age[nearest] = key_of(m, nearest) << 8 | m->clock;
    return guess;
}

/* The entry with this key, a free one, or else the one that was not used for longest. */
static uint32_t entry_for(struct spb_moves *m, uint32_t key) {
    uint32_t oldest = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        if (key_of(m, i) == key) return i;
        if ((uint8_t)m->key_age[i] < (uint8_t)m->key_age[oldest]) oldest = i;
    }
    return m->count < SPB_DELTA_MOVES ? m->count++ : oldest;
}

void spb_moves_put(struct spb_moves *m, uint32_t key, uint32_t displacement) {
    if (++m->clock == 255) {
        m->clock = 127;
        for (uint32_t i = 0; i < m->count; i++) {
            m->key_age[i] = key_of(m, i) << 8 | (uint8_t)m->key_age[i] >> 1;
        }
    }
    set(m, entry_for(m, key), key, displacement);
}

uint32_t spb_moves_nearest(const struct spb_moves *m, uint32_t place, uint32_t otherwise) {
    uint32_t best = NONE;
    for (uint32_t i = 0; i < m->count; i++) {
        if (SPACE(key_of(m, i)) != 0) continue;
        uint32_t there = (key_of(m, i) << 1) + displacement_of(m, i);
        uint32_t distance = there > place ? there - place : place - there;
        if (distance < best) {
            best = distance;
            otherwise = displacement_of(m, i);
        }
    }
    return otherwise;
}
