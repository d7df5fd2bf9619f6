/* SPDX-License-Identifier: MIT */
/* delta.h - decodes a patch stream (spec/patch-stream.md) into NEW.  A full image is a patch from an empty OLD.
 * D1  Input is read only inside what run() is given; past the declared end the stream reads as zeros.
 * D2  OLD is read only below old_len, NEW only below what was put; exactly new_len bytes are put, never more.
 * D3  An operation reads at most SPB_DELTA_OP_SIZE bytes of stream: run() never stops inside one. */
#ifndef SPB_DELTA_H
#define SPB_DELTA_H

#include <stdbool.h>

#include "status.h"

#define SPB_DELTA_OP_SIZE 40u

/* Where NEW goes, and where its earlier bytes come back from. */
struct spb_delta_new {
    enum spb_status (*put)(void *context, uint8_t byte);
    uint8_t (*get)(void *context, uint32_t off);
    void *context;
};

/* The adaptive bits, by the names the specification gives them. */
struct spb_delta_models {
    uint16_t op[6], space[3], rep[2], rep1, near, sign, nrep;
    uint16_t hi[2][4][16], lo[2][16][16];
    uint16_t exp[4][32], mant[4][32];
};

struct spb_delta {
    const uint8_t *old;
    uint32_t old_len, new_len;
    uint32_t np;                    /* bytes of NEW put so far */
    uint32_t range, code;
    uint32_t r0, r1, d0;
    uint32_t literals;
    uint8_t last[2];                /* the two newest bytes of NEW, newest first */
    uint8_t prev;                   /* kind of the last operation */
    bool started;
    const uint8_t *in, *end;        /* of the run() in progress */
    struct spb_delta_models models;
};

void spb_delta_init(struct spb_delta *d, const uint8_t *old, uint32_t old_len, uint32_t new_len);

/* Decode what is whole in the len bytes at in, everything when last; *used says how many were read.  At most
 * SPB_DELTA_OP_SIZE stay unread before the last run: give them again in front of the next.
 * SPB_E_PARSER_ERROR: not a patch stream, or it does not end where NEW does.  Other errors are put()'s. */
SPB_CHECKED enum spb_status spb_delta_run(struct spb_delta *d, const struct spb_delta_new *out, const uint8_t *in,
                                          uint32_t len, bool last, uint32_t *used);

#endif
