/* SPDX-License-Identifier: MIT */
/* range.h - binary range decoder and the adaptive bits it decodes with (spec/patch-stream.md).
 * R1  Nothing is read past end: from there on every byte is zero. */
#ifndef SPB_RANGE_H
#define SPB_RANGE_H

#include <stdint.h>

struct spb_range {
    uint32_t range, code;
    const uint8_t *in, *end;
    uint16_t *models;           /* adaptive bits, named by their numbers below */
};

/* Takes the first four bytes. */
void spb_range_start(struct spb_range *r);

/* The next decision.  A model is the probability of a 1 in bits 15..4 (1 .. 4095, in 1/4096), count in bits 3..0. */
uint32_t spb_range_bit(struct spb_range *r, uint32_t model);

/* A decision by the mean of two models; both learn. */
uint32_t spb_range_mixed(struct spb_range *r, uint32_t one, uint32_t other);

/* bits decisions of probability one half, most significant first. */
uint32_t spb_range_direct(struct spb_range *r, uint32_t bits);

/* A number of bits > 0 bits, most significant first, by the 2^bits - 1 models of a tree, first the first of them. */
uint32_t spb_range_tree(struct spb_range *r, uint32_t first, uint32_t bits);

#endif
