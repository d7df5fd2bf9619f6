/* SPDX-License-Identifier: MIT */
/* decode.c - the patch decoder of the bootloader, alone, for measuring: OLD, stream and NEW lie in memory. */
#include "delta.h"

#include <string.h>

static uint8_t *made, *end;

static enum spb_status put(struct spb_delta *d, uint8_t byte) {
    (void)d;
    *end++ = byte;
    return SPB_OK;
}

static uint32_t same(struct spb_delta *d, uint32_t most) {
    memcpy(end, d->old[0] + d->np, most);
    end += most;
    return most;
}

static uint8_t get(struct spb_delta *d, uint32_t off) {
    (void)d;
    return made[off];
}

uint32_t bench_state_size(void);
uint32_t bench_decode(struct spb_delta *state, const uint8_t *old, const uint32_t sizes[3], const uint8_t *stream,
                      uint8_t *to);

uint32_t bench_state_size(void) { return sizeof(struct spb_delta); }

/* sizes: bytes of OLD, NEW, stream. */
uint32_t bench_decode(struct spb_delta *state, const uint8_t *old, const uint32_t sizes[3], const uint8_t *stream,
                      uint8_t *to) {
    static const struct spb_delta_new out = {put, get, same};
    uint32_t used;
    made = end = to;
    const struct spb_delta_image from = {{{old, sizes[0]}}}, made_to = {{{NULL, sizes[1]}}};
    spb_delta_init(state, &out, &from, &made_to);
    return (uint32_t)spb_delta_run(state, stream, sizes[2], true, &used);
}
