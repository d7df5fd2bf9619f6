/* SPDX-License-Identifier: MIT */
/* delta.h - decodes a patch stream (spec/patch-stream.md) into NEW.  A full image is a patch from an empty OLD.
 * D1  Input is read only inside what run() is given; past the declared end the stream reads as zeros.
 * D2  OLD is read only below old_len, NEW only below what was put; exactly new_len bytes are put, never more.
 * D3  A step reads at most SPB_DELTA_STEP_SIZE bytes of stream: run() never stops inside one.
 * D4  Every copy puts at least a byte: work is bounded by new_len. */
#ifndef SPB_DELTA_H
#define SPB_DELTA_H

#include "moves.h"
#include "range.h"
#include "reference.h"
#include "status.h"

struct spb_delta;

/* Where NEW goes, and where its earlier bytes come back from.  Whoever decodes finds its own around the decoder. */
struct spb_delta_new {
    enum spb_status (*put)(struct spb_delta *d, uint8_t byte);
    uint8_t (*get)(const struct spb_delta *d, uint32_t off);
};

/* The adaptive bits, by the names the specification gives them and in its order. */
struct spb_delta_models {
    uint16_t op[8], space[2], same[2], mapped, previous, near, low, again;
    uint16_t flag[4][8][2], opcode[2][32][2], end[3][4];
    uint16_t ref[SPB_REFERENCE_KINDS][4][2], ref_new[SPB_REFERENCE_KINDS], missed[SPB_REFERENCE_KINDS][3];
    uint16_t literal_high[2][4][15], literal_low[16][15];
    uint16_t change_high[4][15], change_low[4][3][15];
    uint16_t sign[4], exponent[6][31], mantissa[6][4];
};

struct spb_delta {                  /* what is passed on first, then bytes: they have the shortest reach */
    struct spb_range range;
    uint8_t last[2];                /* the two newest bytes of NEW, newest first */
    uint8_t copying, before;        /* enum space of delta.c: now, and of the copy that the last break ended */
    uint8_t run_bits;               /* bits needed for its bytes since run_from, at most 7, when it was last asked */
    uint8_t literals, skip;
    bool started;
    bool changed;                   /* it has changed a byte */
    bool asked;                     /* sure_end was read since the last surprise */
    const uint8_t *old;
    uint32_t new_len;
    struct spb_image_range image;   /* OLD: its address and size */
    uint32_t np;                    /* bytes of NEW put so far */
    uint32_t r0, r1, distance;
    uint32_t moved;                 /* np - source of the copy in progress */
    uint32_t sure_end;              /* up to here bytes need no flag */
    uint32_t pending;               /* key to learn when the copy has proved itself */
    uint32_t run_from, calm_from;   /* where the copy began or changed a byte; had its last surprise */
    const struct spb_delta_new *out;
    uint8_t history[SPB_REFERENCE_KINDS];
    struct spb_moves moves;
    struct spb_delta_models models;
};

void spb_delta_init(struct spb_delta *d, const struct spb_delta_new *out, const uint8_t *old, uint32_t old_len,
                    uint32_t new_len);

/* Decode what is whole in the len bytes at in, everything when last; *used says how many were read.  At most
 * SPB_DELTA_STEP_SIZE stay unread before the last run: give them again in front of the next.
 * SPB_E_PARSER_ERROR: not a patch stream, or it does not end where NEW does.  Other errors are put()'s. */
SPB_CHECKED enum spb_status spb_delta_run(struct spb_delta *d, const uint8_t *in, uint32_t len, bool last, uint32_t *used);

#endif
