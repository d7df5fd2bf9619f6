/* SPDX-License-Identifier: MIT */
/* decode.c - the patch decoder of the bootloader, alone, for measuring: OLD, stream and NEW lie in memory. */
#include "delta.h"

#include <string.h>

static uint8_t *made;

static enum spb_status put(void *context, uint8_t byte) {
    uint8_t **end = context;
    *(*end)++ = byte;
    return SPB_OK;
}

static uint8_t get(void *context, uint32_t off) {
    (void)context;
    return made[off];
}

uint32_t bench_state_size(void);
uint32_t bench_decode(struct spb_delta *state, const uint8_t *old, const uint32_t sizes[3], const uint8_t *stream,
                      uint8_t *to);

uint32_t bench_state_size(void) { return sizeof(struct spb_delta); }

/* sizes: bytes of OLD, NEW, stream. */
uint32_t bench_decode(struct spb_delta *state, const uint8_t *old, const uint32_t sizes[3], const uint8_t *stream,
                      uint8_t *to) {
    uint8_t *end = to;
    const struct spb_delta_new out = {put, get, &end};
    uint32_t used;
    made = to;
    spb_delta_init(state, old, sizes[0], sizes[1]);
    return (uint32_t)spb_delta_run(state, &out, stream, sizes[2], true, &used);
}
