/* SPDX-License-Identifier: MIT */
#include "finder.h"

#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "bytes.h"
#include "reference.h"

#define WIDE 24u        /* bytes */
#define LONG 8u
#define SHORT 4u
#define OLD_WIDE 2u     /* candidates of each kind */
#define OLD_LONG 24u
#define OLD_SHORT 4u
#define NEW_WIDE 2u
#define NEW_LONG 24u
#define NEW_SHORT 12u
#define TRIES 64u       /* places looked at for OLD_SHORT */

/* --- canonical images --- */

static void canonical_old(uint8_t *bytes, const struct spb_pair *pair, const struct spb_places *places) {
    const struct spb_image_range image = {pair->base, pair->old_len};
    struct spb_reference ref;
    for (uint32_t i = 0; i + 4 <= pair->old_len; i += 2) {
        if (!spb_reference_read(&ref, &image, pair->old_bytes + i, 4, pair->base + i, i % 4 == 0)) continue;
        if (ref.kind == SPB_REFERENCE_BL || ref.kind == SPB_REFERENCE_CODE) {
            uint32_t off = (ref.target & ~1u) - pair->base;
            uint32_t target = off < places->len ? ref.target + ((uint32_t)places->filled[off] & ~1u) : ref.target;
            spb_store_u32(bytes + i, ref.kind == SPB_REFERENCE_BL ? target ^ 0x5A000000 : target);
        }
        i += ref.len - 2u;
    }
}

static void canonical_new(uint8_t *bytes, const struct spb_pair *pair) {
    const struct spb_image_range image = {pair->base, pair->old_len};
    struct spb_reference ref;
    for (uint32_t i = 0; i + 4 <= pair->new_len; i += 2) {
        if (!spb_reference_read(&ref, &image, pair->new_bytes + i, 4, pair->base + i, i % 4 == 0)) continue;
        if (ref.kind == SPB_REFERENCE_BL) spb_store_u32(bytes + i, ref.target ^ 0x5A000000);
        i += ref.len - 2u;
    }
}

/* --- index --- */

static uint32_t hash(const struct spb_index *index, const uint8_t *bytes) {
    uint64_t v = 0;
    for (uint32_t i = 0; i < index->width; i += 4) {
        v = ((v ^ v >> 29) + spb_load_u32(bytes + i) + 1) * 0x9E3779B97F4A7C15u;
    }
    return (uint32_t)(v >> (64 - index->bits));
}

static uint32_t positions(const struct spb_index *index) {
    return index->len < index->width ? 0 : index->len - index->width + 1;
}

static bool index_init(struct spb_index *index, const uint8_t *bytes, uint32_t len, uint32_t width, bool own) {
    uint32_t bits = spb_bits_for(len);
    *index = (struct spb_index){.bytes = bytes, .len = len, .width = width, .bits = bits < 8 ? 8 : bits};
    uint32_t count = positions(index);
    index->first = calloc(((size_t)1 << index->bits) + 2, sizeof *index->first);
    index->list = malloc(((size_t)count + 1) * sizeof *index->list);
    if (own) index->rank = malloc(((size_t)count + 1) * sizeof *index->rank);
    if (index->first == NULL || index->list == NULL || (own && index->rank == NULL)) return false;
    uint32_t *next = index->first + 1;
    for (uint32_t i = 0; i < count; i++) next[hash(index, bytes + i) + 1]++;
    for (uint32_t h = 0; h < 1u << index->bits; h++) next[h + 1] += next[h];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t rank = next[hash(index, bytes + i)]++;
        index->list[rank] = i;
        if (own) index->rank[i] = rank;
    }
    return true;
}

static void index_free(struct spb_index *index) {
    free(index->first);
    free(index->list);
    free(index->rank);
}

/* --- finder --- */

bool spb_finder_init(struct spb_finder *finder, const struct spb_pair *pair, const struct spb_places *places) {
    memset(finder, 0, sizeof *finder);
    finder->old_len = pair->old_len;
    finder->new_len = pair->new_len;
    finder->old_bytes = malloc((size_t)pair->old_len + 1);
    finder->new_bytes = malloc((size_t)pair->new_len + 1);
    if (finder->old_bytes == NULL || finder->new_bytes == NULL) return false;
    memcpy(finder->old_bytes, pair->old_bytes, pair->old_len);
    memcpy(finder->new_bytes, pair->new_bytes, pair->new_len);
    if (places->len > 0) {
        canonical_old(finder->old_bytes, pair, places);
        canonical_new(finder->new_bytes, pair);
    }
    return index_init(&finder->old_wide, finder->old_bytes, pair->old_len, WIDE, false) &&
           index_init(&finder->new_wide, finder->new_bytes, pair->new_len, WIDE, true) &&
           index_init(&finder->old_long, finder->old_bytes, pair->old_len, LONG, false) &&
           index_init(&finder->old_short, finder->old_bytes, pair->old_len, SHORT, false) &&
           index_init(&finder->new_long, finder->new_bytes, pair->new_len, LONG, true) &&
           index_init(&finder->new_short, finder->new_bytes, pair->new_len, SHORT, true);
}

void spb_finder_free(struct spb_finder *finder) {
    index_free(&finder->old_wide);
    index_free(&finder->new_wide);
    index_free(&finder->old_long);
    index_free(&finder->old_short);
    index_free(&finder->new_long);
    index_free(&finder->new_short);
    free(finder->old_bytes);
    free(finder->new_bytes);
}

/* Where in list the first position from place on stands. */
static uint32_t lower_bound(const uint32_t *list, uint32_t from, uint32_t to, uint32_t place) {
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (list[middle] < place) from = middle + 1;
        else to = middle;
    }
    return from;
}

/* At most most positions, of the tries nearest to expected, that begin as bytes do; nearest first. */
static uint32_t nearest(const struct spb_index *index, const uint8_t *bytes, uint32_t expected, uint32_t tries,
                        uint32_t most, struct spb_found *found) {
    uint32_t h = hash(index, bytes);
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

/* At most most of the latest positions before np that begin as np does. */
static uint32_t latest(const struct spb_index *index, uint32_t np, uint32_t most, struct spb_found *found) {
    if (np >= positions(index)) return 0;
    uint32_t from = index->first[hash(index, index->bytes + np)], rank = index->rank[np], count = 0;
    for (uint32_t tries = most; tries > 0 && rank > from; tries--) {
        uint32_t place = index->list[--rank];
        if (memcmp(index->bytes + place, index->bytes + np, index->width) == 0) {
            found[count++] = (struct spb_found){SPB_OPERATION_NEW, place, index->width};
        }
    }
    return count;
}

uint32_t spb_finder_find(const struct spb_finder *finder, uint32_t np, uint32_t expected, struct spb_found *found) {
    const uint8_t *bytes = finder->new_bytes + np;
    uint32_t count = 0, left = finder->new_len - np;
    if (expected >= 0x80000000u) expected = 0;
    if (left >= WIDE) {
        count += nearest(&finder->old_wide, bytes, expected, OLD_WIDE, OLD_WIDE, found);
        count += latest(&finder->new_wide, np, NEW_WIDE, found + count);
    }
    if (left >= LONG) {
        count += nearest(&finder->old_long, bytes, expected, OLD_LONG, OLD_LONG, found + count);
        count += latest(&finder->new_long, np, NEW_LONG, found + count);
    }
    if (left >= SHORT) {
        count += nearest(&finder->old_short, bytes, expected, TRIES, OLD_SHORT, found + count);
        count += latest(&finder->new_short, np, NEW_SHORT, found + count);
    }
    return count;
}
