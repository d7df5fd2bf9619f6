/* SPDX-License-Identifier: MIT */
#include "places.h"

#include <stdlib.h>
#include <string.h>

struct copy {
    uint32_t source, len;
    int32_t moved;
    uint32_t rank;      /* in the order of NEW */
};

void spb_places_free(struct spb_places *places) {
    free(places->pieces);
    free(places->first);
    *places = (struct spb_places){NULL, NULL, 0};
}

/* The longest last, and the first last of those as long: so each hides those that do not count. */
static int by_weight(const void *a, const void *b) {
    const struct copy *one = a, *other = b;
    if (one->len != other->len) return one->len < other->len ? -1 : 1;
    return one->rank > other->rank ? -1 : 1;
}

static void spread(int32_t *moved, uint32_t old_len, struct copy *copies, const struct spb_operations *operations) {
    size_t count = 0;
    uint32_t np = 0;
    for (size_t i = 0; i < operations->count; i++) {
        const struct spb_operation *op = &operations->list[i];
        if (op->kind == SPB_OPERATION_OLD) {
            copies[count] = (struct copy){op->source, op->len, (int32_t)(np - op->source), (uint32_t)count};
            count++;
        }
        np += op->len;
    }
    qsort(copies, count, sizeof *copies, by_weight);
    for (uint32_t off = 0; off < old_len; off++) moved[off] = SPB_PLACES_NONE;
    for (size_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < copies[i].len; k++) moved[copies[i].source + k] = copies[i].moved;
    }
}

static bool collect(struct spb_places *places, uint32_t old_len, const int32_t *moved) {
    size_t count = 1;
    for (uint32_t off = 1; off < old_len; off++) count += moved[off] != moved[off - 1];
    places->pieces = malloc((count + 1) * sizeof *places->pieces);
    places->first = malloc((((size_t)old_len >> SPB_PLACES_BLOCK) + 1) * sizeof *places->first);
    if (places->pieces == NULL || places->first == NULL) return false;
    int32_t filled = 0;
    uint32_t used = 0;
    for (uint32_t off = 0; off < old_len; off++) {
        if (off == 0 || moved[off] != moved[off - 1]) {
            if (moved[off] != SPB_PLACES_NONE) filled = moved[off];
            places->pieces[used++] = (struct spb_piece){off, moved[off], filled};
        }
        if (off % (1u << SPB_PLACES_BLOCK) == 0) places->first[off >> SPB_PLACES_BLOCK] = used - 1;
    }
    places->pieces[used] = (struct spb_piece){UINT32_MAX, SPB_PLACES_NONE, filled};
    places->len = old_len;
    return true;
}

bool spb_places_learn(struct spb_places *places, uint32_t old_len, const struct spb_operations *operations) {
    int32_t *moved = malloc(((size_t)old_len + 1) * sizeof *moved);
    struct copy *copies = malloc((operations->count + 1) * sizeof *copies);
    spb_places_free(places);
    bool learnt = moved != NULL && copies != NULL;
    if (learnt) {
        spread(moved, old_len, copies, operations);
        learnt = collect(places, old_len, moved);
    }
    free(copies);
    free(moved);
    return learnt;
}
