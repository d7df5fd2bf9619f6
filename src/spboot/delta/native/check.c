/* SPDX-License-Identifier: MIT */
/* check.c - the firmware's decoder, over arrays. */
#include "delta.h"
#include "encode.h"

static enum spb_status put(void *context, uint8_t byte) {
    uint8_t **next = context;
    *(*next)++ = byte;
    return SPB_OK;
}

struct output {
    uint8_t *next;      /* first: put() knows only this */
    const uint8_t *bytes;
};

static uint8_t get(void *context, uint32_t off) { return ((const struct output *)context)->bytes[off]; }

int spb_decode(const uint8_t *old_bytes, uint32_t old_len, const uint8_t *stream, uint32_t len, uint8_t *new_bytes,
               uint32_t new_len) {
    struct output output = {new_bytes, new_bytes};
    const struct spb_delta_new out = {put, get, &output};
    struct spb_delta d;
    uint32_t used;
    spb_delta_init(&d, old_bytes, old_len, new_len);
    return (int)spb_delta_run(&d, &out, stream, len, true, &used);
}
