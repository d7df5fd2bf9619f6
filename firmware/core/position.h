/* SPDX-License-Identifier: MIT */
/* position.h - where things are in an OLD and a NEW of one part or two, and the keys of those places (of delta.c). */
#ifndef SPB_POSITION_H
#define SPB_POSITION_H

#include "delta.h"

#define KEY_BITS 22u

static inline uint32_t source(const struct spb_delta *d) { return d->np - d->moved; }

/* Is this position in the second part? */
static inline bool in_rest(uint32_t at) { return SPB_PARTS > 1 && at >= SPB_DELTA_REST; }

/* The position behind the part that NEW is in. */
static inline uint32_t part_end(const struct spb_delta *d) {
    return d->new_len[in_rest(d->np)];
}

/* Where the part of OLD, or of NEW as far as it is, ends that the source is in. */
static inline uint32_t source_end(const struct spb_delta *d, bool old) {
#if SPB_PARTS > 1
    if (in_rest(source(d))) return old ? SPB_DELTA_REST + d->image.rest_size : d->np;
    if (!old && in_rest(d->np)) return d->new_len[0];
#endif
    return old ? d->image.size : d->np;
}

/* Bytes from the source to there: it is not behind that. */
static inline uint32_t left(const struct spb_delta *d, bool old) { return source_end(d, old) - source(d); }

static inline const uint8_t *old_at(const struct spb_delta *d, uint32_t at) {
    return SPB_PARTS == 1 ? d->old[0] + at : (const uint8_t *)((uintptr_t)d->old[in_rest(at)] + at);
}

static inline uint32_t place_key(uint32_t off) { return off >> 1 & ((1u << KEY_BITS) - 1); }

static inline uint32_t rest_key(uint32_t off) { return 3u << KEY_BITS | (off >> 3 & ((1u << KEY_BITS) - 1)); }

static inline uint32_t position_key(uint32_t at) { return in_rest(at) ? rest_key(at - SPB_DELTA_REST) : place_key(at); }

#endif
