/* SPDX-License-Identifier: MIT */
#include "moves.h"

#include <stdbool.h>
#include <stddef.h>

#define SPACE(key) ((key) >> 22)
#define NEAR 512u               /* half-words */
#define NONE 0xFFFFFFFFu
#define FIRST_STEP 64u          /* of the search for a key */

static uint32_t key_of(const struct spb_moves *m, uint32_t i) { return m->key_age[i] >> 8; }

static uint32_t extended(uint32_t displacement) { return ((displacement & 0xFFFFFF) ^ 0x800000) - 0x800000; }

static uint32_t displacement_of(const struct spb_moves *m, uint32_t i) {
    return extended((uint32_t)m->high[i] << 16 | m->low[i]);
}

static void touch(struct spb_moves *m, uint32_t i) { m->key_age[i] = key_of(m, i) << 8 | m->clock; }

/* How many entries have keys up to key. */
static uint32_t up_to(const struct spb_moves *m, uint32_t key) {
    uint32_t low = 0;
    _Static_assert(SPB_DELTA_MOVES < 2 * FIRST_STEP, "the steps add up to all of them");
    for (uint32_t step = FIRST_STEP; step > 0; step >>= 1) {
        uint32_t high = low + step;
        if (high <= m->count && key_of(m, high - 1) <= key) low = high;
    }
    return low;
}

struct spb_moves_guess spb_moves_find(struct spb_moves *m, uint32_t key, uint32_t here_key, uint32_t here) {
    uint32_t upper = up_to(m, key);
    struct side {
        uint32_t distance, displacement;
    } sides[2], *own = NULL;                /* the nearest key below (or equal), above; the side on which here is it */
    for (uint32_t side = 0; side < 2; side++) {
        uint32_t i = upper - 1 + side;
        sides[side] = (struct side){NONE, 0};
        if (i >= m->count || SPACE(key_of(m, i) ^ key) != 0) continue;
        sides[side].distance = side == 0 ? key - key_of(m, i) : key_of(m, i) - key;
        sides[side].displacement = displacement_of(m, i);
    }
    if (here_key != SPB_MOVES_NO_KEY) {
        struct side *side = here_key > key ? &sides[1] : &sides[0];
        uint32_t gap = here_key > key ? here_key - key : key - here_key;
        if (gap < side->distance) {
            *side = (struct side){gap, extended(here)};
            own = side;
        }
    }
    bool above = sides[1].distance < sides[0].distance;
    const struct side *nearer = above ? &sides[1] : &sides[0], *other = above ? &sides[0] : &sides[1];
    if (nearer != own && nearer->distance != NONE) touch(m, upper - 1 + above);
    enum spb_moves_class class = nearer->distance < NEAR ? SPB_MOVES_NEAR : SPB_MOVES_FAR;
    if (other->distance != NONE && nearer->displacement == other->displacement) class = SPB_MOVES_AGREED;
    if (nearer->distance == 0) class = SPB_MOVES_EXACT;
    return (struct spb_moves_guess){nearer->displacement, other->displacement, class};
}

/* Of several with the lowest age, the one with the lowest key. */
static uint32_t oldest(const struct spb_moves *m) {
    uint32_t i = m->count;
    uint32_t least = 255;
    uint32_t found = 0;
    do {
        uint32_t age = m->key_age[--i] & 0xFF;
        if (age > least) continue;
        least = age;
        found = i;
    } while (i > 0);
    return found;
}

static void copy(struct spb_moves *m, uint32_t to, uint32_t from) {
    m->key_age[to] = m->key_age[from];
    m->low[to] = m->low[from];
    m->high[to] = m->high[from];
}

void spb_moves_put(struct spb_moves *m, uint32_t key, uint32_t displacement) {
    if (++m->clock == 255) {
        m->clock = 127;
        for (uint32_t i = 0; i < m->count; i++) m->key_age[i] = key_of(m, i) << 8 | (uint8_t)m->key_age[i] >> 1;
    }
    uint32_t at = up_to(m, key);
    if (at > 0 && key_of(m, at - 1) == key) {
        at--;
    } else {
        uint32_t hole = m->count < SPB_DELTA_MOVES ? m->count++ : oldest(m);
        if (hole < at) at--;
        while (hole != at) {
            uint32_t from = hole < at ? hole + 1 : hole - 1;
            copy(m, hole, from);
            hole = from;
        }
    }
    m->key_age[at] = key << 8;
    touch(m, at);
    m->low[at] = (uint16_t)displacement;
    m->high[at] = (uint8_t)(displacement >> 16);
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
