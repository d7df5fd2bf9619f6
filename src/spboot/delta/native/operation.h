/* SPDX-License-Identifier: MIT */
/* operation.h - how a piece of NEW is made.  A sequence of operations makes all of it. */
#ifndef SPB_OPERATION_H
#define SPB_OPERATION_H

#include <stddef.h>
#include <stdint.h>

enum spb_operation_kind { SPB_OPERATION_LITERAL, SPB_OPERATION_OLD, SPB_OPERATION_NEW, SPB_OPERATION_STORED };

struct spb_operation {
    uint32_t kind;      /* enum spb_operation_kind: literals, a copy from OLD or NEW, or all of NEW as it is */
    uint32_t len;       /* bytes of NEW, at least 1 */
    uint32_t source;    /* where the copy begins; 0 for what is no copy */
};

struct spb_operations {
    struct spb_operation *list;
    size_t count;
};

/* The pair to work on: the bytes of both parts of an image, the second of both images from `rest` on.  Between an image's
 * first part and that there is a gap of one byte at least, that nothing is copied from and nothing made of: no copy goes on
 * from part to part.  So positions here differ from those of the stream only where the second part begins. */
struct spb_pair {
    const uint8_t *old_bytes, *new_bytes;
    uint32_t old_len, new_len;      /* with all parts */
    uint32_t old_code, new_code;    /* first parts alone */
    uint32_t rest;                  /* a multiple of 16; UINT32_MAX: neither has a second part */
    uint32_t base, rest_base;       /* addresses of the first bytes */
};

/* Where the part ends that at is in. */
static inline uint32_t spb_pair_old_end(const struct spb_pair *pair, uint32_t at) {
    return at < pair->rest ? pair->old_code : pair->old_len;
}

static inline uint32_t spb_pair_new_end(const struct spb_pair *pair, uint32_t at) {
    return at < pair->rest ? pair->new_code : pair->new_len;
}

/* The position in OLD that an address stands for, as its references see it; beyond its end for addresses elsewhere. */
static inline uint32_t spb_pair_place(const struct spb_pair *pair, uint32_t address) {
    uint32_t off = address - pair->base;
    if (off >= pair->old_code && pair->rest < pair->old_len && address - pair->rest_base < pair->old_len - pair->rest) {
        return pair->rest + (address - pair->rest_base);
    }
    return off < pair->rest ? off : UINT32_MAX;
}

#endif
