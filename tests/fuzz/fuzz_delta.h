/* SPDX-License-Identifier: MIT */
/* fuzz_delta.h - one case of the fuzzers of the patch stream decoder, and the decoder run on it with every promise of
 * firmware/core/delta.h asserted.
 * An input is a head of FUZZ_HEAD_SIZE bytes, OLD when the head says so, and the rest: a stream, or decisions.
 * The sanitizers see each byte over: OLD, NEW, each chunk and the decoder are heap blocks of just their size. */
#ifndef FUZZ_DELTA_H
#define FUZZ_DELTA_H

#include "delta.h"
#include "fuzz.h"

/* Head: u16 old_len, u16 new_len - 1, u8 division, u8 fail.  In old_len, bit 15 says that OLD comes from the input. */
#define FUZZ_HEAD_SIZE 6u
#define FUZZ_OLD_OWN 0x8000u
#define FUZZ_NEW_SIZE 8192u

struct fuzz_case {
    uint8_t *old;
    uint32_t old_len, new_len;
    uint8_t division;           /* how the stream is cut in chunks; 0: not at all */
    uint32_t fail;              /* this put() fails, counted from 1; 0: none */
    const uint8_t *rest;
    uint32_t rest_len;
};

struct fuzz_result {
    enum spb_status status;
    uint32_t np;
    uint8_t *new;
};

bool fuzz_case_read(struct fuzz_case *c, const uint8_t *data, size_t size);
void fuzz_case_free(struct fuzz_case *c);

/* Decode the len bytes at stream in chunks as division has it. */
struct fuzz_result fuzz_decode(const struct fuzz_case *c, const uint8_t *stream, uint32_t len, uint8_t division);

/* D3: both are the same.  Frees them. */
void fuzz_compare(struct fuzz_result *one, struct fuzz_result *other);

/* A put() is about to happen: what lies between two of them is bounded (D4).  Of stream.c or decisions.c. */
void fuzz_before_put(void);

/* The decoder unpacks its start states: what it reads then is no part of the input. */
extern bool fuzz_init;

#endif
