/* SPDX-License-Identifier: MIT */
/* check.c - the firmware's decoder, over arrays. */
#include "delta.h"
#include "encode.h"
#include "images.h"

#include <string.h>

struct output {
    struct spb_delta d;         /* first: put() and the others know where it is */
    uint8_t *next;
    const uint8_t *bytes;
    uint32_t code;              /* bytes of the first part of NEW */
};

static enum spb_status put(struct spb_delta *d, uint8_t byte) {
    *((struct output *)d)->next++ = byte;
    return SPB_OK;
}

static uint32_t same(struct spb_delta *d, uint32_t most) {
    struct output *output = (struct output *)d;
    bool rest = d->np >= SPB_DELTA_REST;
    memcpy(output->next, (const uint8_t *)((uintptr_t)d->old[rest] + d->np), most);
    output->next += most;
    return most;
}

static uint8_t get(struct spb_delta *d, uint32_t off) {
    const struct output *output = (const struct output *)d;
    return output->bytes[off < SPB_DELTA_REST ? off : output->code + (off - SPB_DELTA_REST)];
}

int spb_decode(const struct spb_pair *pair, const uint8_t *stream, uint32_t len, uint8_t *new_bytes) {
    struct output output = {.next = new_bytes, .bytes = new_bytes, .code = pair->new_code};
    const struct spb_delta_new out = {put, get, same};
    const struct spb_delta_image old = spb_images_old(pair), new = spb_images_new(pair);
    uint32_t used;
    spb_delta_init(&output.d, &out, &old, &new);
    output.d.image.rest_base = pair->rest_base;
    return (int)spb_delta_run(&output.d, stream, len, true, &used);
}
