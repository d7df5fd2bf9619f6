/* SPDX-License-Identifier: MIT */
#include "places.h"

#include <stdlib.h>

bool spb_places_init(struct spb_places *places, uint32_t old_len) {
    places->len = 0;
    places->moved = malloc(((size_t)old_len + 1) * sizeof *places->moved);
    places->filled = malloc(((size_t)old_len + 1) * sizeof *places->filled);
    return places->moved != NULL && places->filled != NULL;
}

void spb_places_free(struct spb_places *places) {
    free(places->moved);
    free(places->filled);
}

bool spb_places_learn(struct spb_places *places, uint32_t old_len, const struct spb_operations *operations) {
    uint32_t *longest = calloc((size_t)old_len + 1, sizeof *longest);
    uint32_t np = 0;
    if (longest == NULL) return false;
    places->len = old_len;
    for (uint32_t off = 0; off < old_len; off++) places->moved[off] = SPB_PLACES_NONE;
    for (size_t i = 0; i < operations->count; i++) {
        const struct spb_operation *op = &operations->list[i];
        for (uint32_t k = 0; op->kind == SPB_OPERATION_OLD && k < op->len && op->source + k < old_len; k++) {
            if (longest[op->source + k] >= op->len) continue;
            longest[op->source + k] = op->len;
            places->moved[op->source + k] = (int32_t)(np - op->source);
        }
        np += op->len;
    }
    int32_t last = 0;
    for (uint32_t off = 0; off < old_len; off++) {
        if (places->moved[off] != SPB_PLACES_NONE) last = places->moved[off];
        places->filled[off] = last;
    }
    free(longest);
    return true;
}
