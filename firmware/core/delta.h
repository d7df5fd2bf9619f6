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
#include "spb_config.h"
#include "status.h"

struct spb_delta;

/* OLD or NEW: its bytes in each of its parts; where NEW is does not matter.  Positions of the first part are from 0, of the
 * second from SPB_DELTA_REST: what grows in one moves nothing in the other. */
struct spb_delta_part {
    const uint8_t *at;
    uint32_t len;
};

struct spb_delta_image {
    struct spb_delta_part part[SPB_PARTS];
};

/* Where NEW goes, and where its earlier bytes come back from.  Whoever decodes finds its own around the decoder. */
struct spb_delta_new {
    enum spb_status (*put)(struct spb_delta *d, uint8_t byte);
    uint8_t (*get)(struct spb_delta *d, uint32_t off);
    /* The next most bytes (at least 1) are as in OLD at the same place.  Returns how many of them are thereby taken;
     * 0: put() the next one. */
    uint32_t (*same)(struct spb_delta *d, uint32_t most);
};

/* The adaptive bits, by the names the specification gives them and in its order. */
struct spb_delta_models {
    uint16_t op[8], space[2], same[2], mapped, near, low, again;
    uint16_t as_it_is, flag[3][8][2], opcode[2][32][2], end[3][2];
    uint16_t ref[SPB_REFERENCE_KINDS][4][2], ref_new[SPB_REFERENCE_KINDS], missed[SPB_REFERENCE_KINDS][3];
    uint16_t literal_high[2][4][15], literal_low[16][15];
    uint16_t change_high[2][15], change_low[2][3][15];
    uint16_t sign[4], exponent[6][31], mantissa[6][4];
};

struct spb_delta {                  /* what is passed on first, then bytes: they have the shortest reach */
    struct spb_range range;
    uint8_t last[2];                /* the two newest bytes of NEW, newest first */
    uint8_t copying, before;        /* enum space of delta.c: now, and of the copy that the last break ended */
    uint8_t run_bits;               /* bits needed for its bytes since run_from, at most 7, when it was last asked */
    uint8_t literals;
    bool started;
    const uint8_t *old[SPB_PARTS];  /* where position 0 of each part would be */
    uint32_t new_len[SPB_PARTS];    /* the position behind each part */
    struct spb_image_range image;   /* OLD: its address and size */
    uint32_t np;                    /* position of the next byte of NEW */
    uint32_t r0, distance;
    uint32_t moved;                 /* np - source of the copy in progress */
    uint32_t sure_end;              /* up to here bytes need no flag */
    uint32_t skip_end;              /* up to here a reference comes byte by byte */
    uint32_t changed_end;           /* up to here a changed byte is near */
    uint32_t ask_at;                /* there the next announcement comes */
    uint32_t pending;               /* key to learn when the copy has proved itself */
    uint32_t run_from;              /* where the copy began or changed a byte */
    const struct spb_delta_new *out;
    bool missed[SPB_REFERENCE_KINDS];   /* the last of each kind was not as guessed */
    struct spb_moves moves;
    struct spb_delta_models models;
};

void spb_delta_init(struct spb_delta *d, const struct spb_delta_new *out, const struct spb_delta_image *old,
                    const struct spb_delta_image *new);

/* The position behind the last byte of NEW. */
static inline uint32_t spb_delta_end(const struct spb_delta *d) {
    return SPB_PARTS > 1 && d->new_len[SPB_PARTS - 1] > SPB_DELTA_REST ? d->new_len[SPB_PARTS - 1] : d->new_len[0];
}

/* Decode what is whole in the len bytes at in, everything when last; *used says how many were read.  At most
 * SPB_DELTA_STEP_SIZE stay unread before the last run: give them again in front of the next.
 * SPB_E_PARSER_ERROR: not a patch stream, or it does not end where NEW does.  Other errors are put()'s. */
SPB_CHECKED enum spb_status spb_delta_run(struct spb_delta *d, const uint8_t *in, uint32_t len, bool last, uint32_t *used);

#endif
