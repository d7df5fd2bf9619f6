/* SPDX-License-Identifier: MIT */
/* check.c - the firmware's decoder, over arrays. */
#include "delta.h"
#include "encode.h"

struct output {
    struct spb_delta d;         /* first: put() and get() know where it is */
    uint8_t *next;
    const uint8_t *bytes;
};

static enum spb_status put(struct spb_delta *d, uint8_t byte) {
    *((struct output *)d)->next++ = byte;
    return SPB_OK;
}

static uint8_t get(const struct spb_delta *d, uint32_t off) { return ((const struct output *)d)->bytes[off]; }

int spb_decode(const uint8_t *old_bytes, uint32_t old_len, const uint8_t *stream, uint32_t len, uint8_t *new_bytes,
               uint32_t new_len) {
    struct output output = {.next = new_bytes, .bytes = new_bytes};
    const struct spb_delta_new out = {put, get};
    uint32_t used;
    spb_delta_init(&output.d, &out, old_bytes, old_len, new_len);
    return (int)spb_delta_run(&output.d, stream, len, true, &used);
}
