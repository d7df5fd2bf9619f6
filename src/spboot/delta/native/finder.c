/* SPDX-License-Identifier: MIT */
#include "finder.h"

#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "bytes.h"
#include "sites.h"
#include "reference.h"

#define WIDE 24u        /* bytes */
#define LONG 8u
#define SHORT 4u
#define MOST_WIDE 2u    /* candidates */
#define AHEAD 4u        /* positions */
#define LARGE (1u << 20)

/* --- canonical images --- */

/* So that no kind is taken for another. */
static const uint32_t marks[] = {[SPB_REFERENCE_BL] = 0x5A000000, [SPB_REFERENCE_REL] = 0x33000000, [SPB_REFERENCE_CODE] = 0};

static void canonical_old(uint8_t *bytes, const struct spb_pair *pair, const struct spb_places *places) {
    const struct spb_image_range image = spb_sites_image(pair);
    struct spb_reference ref;
    for (uint32_t i = 0; i + 4 <= pair->old_code; i += 2) {
        if (!spb_reference_read(&ref, &image, pair->old_bytes + i, 4, pair->base + i, i % 4 == 0)) continue;
        if (ref.kind <= SPB_REFERENCE_CODE) {
            uint32_t off = spb_pair_place(pair, ref.target & ~1u);
            uint32_t moved = off < places->len ? (uint32_t)spb_places_piece(places, off)->filled & ~1u : 0;
            uint32_t target = ref.target + moved;
            spb_store_u32(bytes + i, target ^ marks[ref.kind]);
        }
        i += ref.len - 2u;
    }
}

static void canonical_new(uint8_t *bytes, const struct spb_pair *pair) {
    const struct spb_image_range image = spb_sites_image(pair);
    struct spb_reference ref;
    for (uint32_t i = 0; i + 4 <= pair->new_code; i += 2) {
        if (!spb_reference_read(&ref, &image, pair->new_bytes + i, 4, pair->base + i, i % 4 == 0)) continue;
        if (ref.kind <= SPB_REFERENCE_CODE) spb_store_u32(bytes + i, ref.target ^ marks[ref.kind]);
        i += ref.len - 2u;
    }
}

/* --- index of OLD --- */

static uint32_t hash(const uint8_t *bytes, uint32_t width, uint32_t bits) {
    uint64_t v = 0;
    for (uint32_t i = 0; i < width; i += 4) v = ((v ^ v >> 29) + spb_load_u32(bytes + i) + 1) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(v >> (64 - bits));
}

static uint32_t hash_bits(uint32_t len) {
    uint32_t bits = spb_bits_for(len / 4);
    return bits < 8 ? 8 : bits;
}

static bool index_init(struct spb_index *index, const uint8_t *bytes, uint32_t len, uint32_t width, uint32_t step) {
    uint32_t count = len < width ? 0 : (len - width) / step + 1;
    *index = (struct spb_index){.bytes = bytes, .width = width, .bits = hash_bits(count)};
    index->first = calloc(((size_t)1 << index->bits) + 2, sizeof *index->first);
    index->list = malloc(((size_t)count + 1) * sizeof *index->list);
    if (index->first == NULL || index->list == NULL) return false;
    uint32_t *next = index->first + 1;
    for (uint32_t i = 0; i < count; i++) next[hash(bytes + i * step, width, index->bits) + 1]++;
    for (uint32_t h = 0; h < 1u << index->bits; h++) next[h + 1] += next[h];
    for (uint32_t i = 0; i < count; i++) index->list[next[hash(bytes + i * step, width, index->bits)]++] = i * step;
    return true;
}

static void index_free(struct spb_index *index) {
    free(index->first);
    free(index->list);
}

/* Where in list the first position from place on stands. */
static uint32_t lower_bound(const uint32_t *list, uint32_t from, uint32_t to, uint32_t place) {
    uint32_t left = to - from;
    while (left > 0) {
        uint32_t half = (left + 1) / 2;
        from += list[from + half - 1] < place ? half : 0u;
        left -= half;
    }
    return from;
}

/* At most most positions, of the tries nearest to expected, that begin as bytes do; nearest first. */
static uint32_t nearest(const struct spb_index *index, const uint8_t *bytes, uint32_t expected, uint32_t tries,
                        uint32_t most, struct spb_found *found) {
    uint32_t h = hash(bytes, index->width, index->bits);
    uint32_t from = index->first[h], to = index->first[h + 1], count = 0;
    uint32_t up = lower_bound(index->list, from, to, expected), down = up;
    while (tries-- > 0 && count < most && (down > from || up < to)) {
        bool below = up == to || (down > from && expected - index->list[down - 1] <= index->list[up] - expected);
        uint32_t place = below ? index->list[--down] : index->list[up++];
        if (memcmp(index->bytes + place, bytes, index->width) == 0) {
            found[count++] = (struct spb_found){SPB_OPERATION_OLD, place, index->width};
        }
    }
    return count;
}

/* --- past of NEW --- */

static bool past_init(struct spb_past *past, uint32_t len, uint32_t width) {
    *past = (struct spb_past){.width = width, .bits = hash_bits(len)};
    past->newest = calloc((size_t)1 << past->bits, sizeof *past->newest);
    past->before = malloc(((size_t)len + 1) * sizeof *past->before);
    return past->newest != NULL && past->before != NULL;
}

static void past_free(struct spb_past *past) {
    free(past->newest);
    free(past->before);
}

/* Remember np, which is finder->count; returns the number of the latest before it with the same hash. */
static uint32_t remember(const struct spb_finder *finder, struct spb_past *past, uint32_t np) {
    uint32_t *newest = &past->newest[hash(finder->new_bytes + np, past->width, past->bits)];
    uint32_t number = *newest;
    past->before[finder->count] = number;
    *newest = finder->count;
    return number;
}

/* At most most of the latest positions, from number on, that begin as np does. */
static uint32_t latest(const struct spb_finder *finder, const struct spb_past *past, uint32_t np, uint32_t number,
                       uint32_t most, struct spb_found *found) {
    const uint8_t *bytes = finder->new_bytes;
    uint32_t count = 0;
    for (uint32_t tries = most; tries > 0 && number > 0; tries--, number = past->before[number]) {
        uint32_t place = finder->asked[number];
        if (memcmp(bytes + place, bytes + np, past->width) == 0) {
            found[count++] = (struct spb_found){SPB_OPERATION_NEW, place, past->width};
        }
    }
    return count;
}

/* --- finder --- */

bool spb_finder_init(struct spb_finder *finder, const struct spb_pair *pair, const struct spb_places *places,
                     const struct spb_effort *effort) {
    bool large = pair->old_len > LARGE;
    memset(finder, 0, sizeof *finder);
    finder->effort = effort;
    finder->old_len = pair->old_len;
    finder->new_len = pair->new_len;
    finder->old_bytes = malloc((size_t)pair->old_len + 1);
    finder->new_bytes = malloc((size_t)pair->new_len + 1);
    finder->asked = malloc(((size_t)pair->new_len + 1) * sizeof *finder->asked);
    if (finder->old_bytes == NULL || finder->new_bytes == NULL || finder->asked == NULL) return false;
    memcpy(finder->old_bytes, pair->old_bytes, pair->old_len);
    memcpy(finder->new_bytes, pair->new_bytes, pair->new_len);
    if (places->len > 0) {
        canonical_old(finder->old_bytes, pair, places);
        canonical_new(finder->new_bytes, pair);
    }
    return index_init(&finder->old_wide, finder->old_bytes, pair->old_len, WIDE, large ? 8 : 4) &&
           index_init(&finder->old_long, finder->old_bytes, pair->old_len, LONG, large ? 2 : 1) &&
           index_init(&finder->old_short, finder->old_bytes, pair->old_len, SHORT, large ? 2 : 1) &&
           past_init(&finder->new_wide, pair->new_len, WIDE) && past_init(&finder->new_long, pair->new_len, LONG) &&
           past_init(&finder->new_short, pair->new_len, SHORT);
}

void spb_finder_free(struct spb_finder *finder) {
    index_free(&finder->old_wide);
    index_free(&finder->old_long);
    index_free(&finder->old_short);
    past_free(&finder->new_wide);
    past_free(&finder->new_long);
    past_free(&finder->new_short);
    free(finder->old_bytes);
    free(finder->new_bytes);
    free(finder->asked);
}

/* Let the processor fetch what a position will need soon: finding is waiting for memory. */
static void look_ahead(const struct spb_finder *finder, const uint8_t *bytes) {
    __builtin_prefetch(&finder->old_long.first[hash(bytes, LONG, finder->old_long.bits)]);
    __builtin_prefetch(&finder->new_long.newest[hash(bytes, LONG, finder->new_long.bits)]);
    __builtin_prefetch(&finder->old_short.first[hash(bytes, SHORT, finder->old_short.bits)]);
    __builtin_prefetch(&finder->new_short.newest[hash(bytes, SHORT, finder->new_short.bits)]);
    __builtin_prefetch(&finder->new_wide.newest[hash(bytes, WIDE, finder->new_wide.bits)]);
}

uint32_t spb_finder_find(struct spb_finder *finder, uint32_t np, uint32_t expected, struct spb_found *found) {
    const struct spb_effort *effort = finder->effort;
    const uint8_t *bytes = finder->new_bytes + np;
    uint32_t count = 0, left = finder->new_len - np, old_long = 0, new_long = 0;
    if (expected >= 0x80000000u) expected = 0;
    if (left >= WIDE + AHEAD) look_ahead(finder, bytes + AHEAD);
    finder->asked[++finder->count] = np;
    if (left >= LONG) {
        old_long = nearest(&finder->old_long, bytes, expected, effort->old_long, effort->old_long, found);
        count = old_long;
        if (old_long > 0 && left >= WIDE) {
            count += nearest(&finder->old_wide, bytes, expected, MOST_WIDE, MOST_WIDE, found + count);
        }
        uint32_t number = remember(finder, &finder->new_long, np);
        new_long = latest(finder, &finder->new_long, np, number, effort->new_long, found + count);
        count += new_long;
    }
    if (left >= WIDE) {
        uint32_t number = remember(finder, &finder->new_wide, np);
        if (new_long > 0) count += latest(finder, &finder->new_wide, np, number, MOST_WIDE, found + count);
    }
    if (left >= SHORT) {
        uint32_t number = remember(finder, &finder->new_short, np);
        if (old_long < effort->enough) {
            count += nearest(&finder->old_short, bytes, expected, effort->tries, effort->old_short, found + count);
        }
        if (new_long < effort->enough) {
            count += latest(finder, &finder->new_short, np, number, effort->new_short, found + count);
        }
    }
    return count;
}
