/* SPDX-License-Identifier: MIT */
/* images.h - a pair as the decoder takes it, and its positions, which differ where the second part begins. */
#ifndef SPB_IMAGES_H
#define SPB_IMAGES_H

#include "delta.h"
#include "operation.h"

static inline struct spb_delta_image spb_images_old(const struct spb_pair *pair) {
    bool two = pair->rest != UINT32_MAX;
    const uint8_t *rest = two ? pair->old_bytes + pair->rest : NULL;
    return (struct spb_delta_image){{{pair->old_bytes, pair->old_code}, {rest, two ? pair->old_len - pair->rest : 0}}};
}

static inline struct spb_delta_image spb_images_new(const struct spb_pair *pair) {
    bool two = pair->rest != UINT32_MAX;
    return (struct spb_delta_image){{{NULL, pair->new_code}, {NULL, two ? pair->new_len - pair->rest : 0}}};
}

/* A position of the stream, as the pair has it, ... */
static inline uint32_t spb_images_place(const struct spb_pair *pair, uint32_t at) {
    return at >= SPB_DELTA_REST ? pair->rest + (at - SPB_DELTA_REST) : at;
}

/* ... and the other way round. */
static inline uint32_t spb_images_position(const struct spb_pair *pair, uint32_t at) {
    return at < pair->rest ? at : SPB_DELTA_REST + (at - pair->rest);
}

#endif
