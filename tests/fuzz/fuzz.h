/* SPDX-License-Identifier: MIT */
/* fuzz.h - what all fuzzers share.  An input is taken from the front; behind its end all bytes are zero. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FUZZ_CHECK(is, what) ((is) ? (void)0 : (fprintf(stderr, "FUZZ_CHECK: %s\n", what), abort()))

/* Inputs that came to a good end since the start. */
extern uint32_t fuzz_accepted;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_input {
    const uint8_t *at, *end;
};

static inline uint8_t fuzz_u8(struct fuzz_input *in) { return in->at < in->end ? *in->at++ : 0; }

static inline uint32_t fuzz_u16(struct fuzz_input *in) {
    uint32_t low = fuzz_u8(in);
    return low | (uint32_t)fuzz_u8(in) << 8;
}

#endif
