/* SPDX-License-Identifier: MIT */
/* tally.h - what decisions cost in a stream that was written: sums and numbers, from which the prices of the next parse
 * are made (prices.h). */
#ifndef SPB_TALLY_H
#define SPB_TALLY_H

#include "bits.h"
#include "reference.h"

struct spb_mean {
    spb_bits sum;
    uint32_t count;
};

/* Copies have three states, flags eight lengths of the run before. */
enum { SPB_TALLY_STATES = 3, SPB_TALLY_RUNS = 8, SPB_TALLY_NEAR = 16, SPB_TALLY_DISTANCES = 33 };

struct spb_tally {
    struct spb_mean match[SPB_TALLY_STATES][SPB_TALLY_RUNS];    /* flag of a byte that is as predicted */
    struct spb_mean change[SPB_TALLY_STATES][SPB_TALLY_RUNS];   /* flag of another, without its value */
    struct spb_mean end[SPB_TALLY_STATES][SPB_TALLY_RUNS];      /* end of the copy */
    struct spb_mean value[2][256], all_values;                  /* change of a byte, by class */
    struct spb_mean literal[2][256], all_literals;              /* by parity */
    struct spb_mean is_literal, is_copy[2];                     /* [1]: straight after a copy */
    struct spb_mean hit[SPB_REFERENCE_KINDS];                   /* reference as guessed */
    struct spb_mean kept[SPB_REFERENCE_KINDS];                  /* not as guessed: bytes as they were */
    struct spb_mean moved[SPB_REFERENCE_KINDS];                 /* second guess, or told */
    struct spb_mean bytewise[SPB_REFERENCE_KINDS];              /* byte by byte: without the bytes */
    struct spb_mean same[2], mapped, near[SPB_TALLY_NEAR], far;   /* displacement; near: by bits */
    struct spb_mean again, distance[SPB_TALLY_DISTANCES];                   /* of copies from NEW; by bits */
};

static inline void spb_mean_add(struct spb_mean *mean, spb_bits price) {
    mean->sum += price;
    mean->count++;
}

/* The mean with weight observations of usual added. */
static inline spb_bits spb_mean_of(const struct spb_mean *mean, spb_bits usual, uint32_t weight) {
    return (mean->sum + usual * weight) / ((spb_bits)mean->count + weight);
}

/* Index of a run length in match, change and end. */
static inline uint32_t spb_tally_run(uint32_t run) {
    return run < 2 ? run : run < 4 ? 2 : run < 8 ? 3 : run < 16 ? 4 : run < 32 ? 5 : run < 128 ? 6 : 7;
}

#endif
