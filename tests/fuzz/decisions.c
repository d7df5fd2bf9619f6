/* SPDX-License-Identifier: MIT */
/* decisions.c - fuzzer: the rest of the input is what the range decoder decides, a byte for each adaptive bit.  A change
 * of one byte is then a change of one decision, and deep states are near.
 * While the decoder runs on them, each decision is encoded as well.  The stream that this makes is decoded in chunks by
 * the real range decoder: it must come to the same end. */
#include "fuzz_delta.h"

#define spb_range_start real_start
#define spb_range_mixed real_mixed
#define spb_range_bit real_bit
#define spb_range_direct real_direct
#define spb_range_tree real_tree
#include "range.c"
#include "prior.c"
#undef spb_range_start
#undef spb_range_mixed
#undef spb_range_bit
#undef spb_range_direct
#undef spb_range_tree

/* A copy's announcement and last mismatch, the next copy's start and its first reference. */
#define MOST_DECISIONS 128u

static struct {
    bool on;
    const uint8_t *in, *end;
    uint32_t since_put;
    uint64_t low;               /* of the encoder: bit 32 is a carry */
    uint32_t range;
    uint8_t *stream;
    uint32_t len, size;
} decisions;

static void append(uint8_t byte) {
    if (decisions.len == decisions.size) {
        decisions.size = 2 * decisions.size + 64;
        decisions.stream = realloc(decisions.stream, decisions.size);
        if (decisions.stream == NULL) exit(1);
    }
    decisions.stream[decisions.len++] = byte;
}

static void shift(void) {
    append((uint8_t)(decisions.low >> 24));
    decisions.low = decisions.low << 8 & 0xFFFFFFFF;
}

/* spec/patch-stream.md, the other way round. */
static void encode(uint32_t p, uint32_t bit) {
    uint32_t bound = (decisions.range >> 12) * p;
    FUZZ_CHECK(p >= 1 && p <= 4095, "p stays within 1 .. 4095");
    FUZZ_CHECK(++decisions.since_put <= MOST_DECISIONS, "D4: decisions between two bytes of NEW are bounded");
    if (!bit) decisions.low += bound;
    decisions.range = bit ? bound : decisions.range - bound;
    for (uint32_t i = decisions.len; decisions.low >> 32 != 0 && i > 0 && ++decisions.stream[i - 1] == 0;) i--;
    decisions.low &= 0xFFFFFFFF;
    for (; decisions.range < 1u << 24; decisions.range <<= 8) shift();
}

/* The input's next byte: 0 is a 1, 255 is a 0, between them the more probable outcome takes more of the values.  Behind
 * the end it is always the more probable one. */
static uint32_t choose(uint32_t p) {
    uint32_t byte = decisions.in < decisions.end ? *decisions.in++ : 128;
    uint32_t bit = byte == 0 || (byte != 255 && byte * 16 < p);
    encode(p, bit);
    return bit;
}

void spb_range_start(struct spb_range *r) {
    if (!decisions.on || fuzz_init) real_start(r);
}

uint32_t spb_range_mixed(struct spb_range *r, uint32_t one, uint32_t other) {
    if (!decisions.on) return real_mixed(r, one, other);
    uint32_t bit = choose(((uint32_t)(r->models[one] >> 4) + (r->models[other] >> 4)) >> 1);
    learn(r->models + one, bit);
    learn(r->models + other, bit);
    return bit;
}

uint32_t spb_range_bit(struct spb_range *r, uint32_t model) {
    if (!decisions.on) return real_bit(r, model);
    uint32_t bit = choose(r->models[model] >> 4);
    learn(r->models + model, bit);
    return bit;
}

uint32_t spb_range_direct(struct spb_range *r, uint32_t bits) {
    if (!decisions.on) return real_direct(r, bits);
    uint32_t value = 0;
    for (uint32_t i = 0; i < bits; i += 8) {
        value = value << 8 | (decisions.in < decisions.end ? *decisions.in++ : 0);
    }
    value &= (uint32_t)((UINT64_C(1) << bits) - 1);
    for (uint32_t i = bits; i-- > 0;) encode(2048, value >> i & 1);
    return value;
}

uint32_t spb_range_tree(struct spb_range *r, uint32_t first, uint32_t bits) {
    if (!decisions.on || fuzz_init) return real_tree(r, first, bits);
    uint32_t m = 1;
    while (m >> bits == 0) m = m << 1 | spb_range_bit(r, first + m - 1);
    return m - (1u << bits);
}

void fuzz_before_put(void) { decisions.since_put = 0; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_case c;
    if (!fuzz_case_read(&c, data, size)) return 0;
    decisions.on = true;
    decisions.in = c.rest;
    decisions.end = c.rest + c.rest_len;
    decisions.since_put = decisions.len = 0;
    decisions.low = 0;
    decisions.range = 0xFFFFFFFF;
    struct fuzz_result made = fuzz_decode(&c, NULL, 0, 0);
    decisions.on = false;
    for (uint32_t i = 0; i < 4; i++) shift();
    /* the encoder drops trailing zeros, but never the only byte */
    while (c.division % 2 != 0 && decisions.len > 1 && decisions.stream[decisions.len - 1] == 0) decisions.len--;
    struct fuzz_result decoded = fuzz_decode(&c, decisions.stream, decisions.len, c.division);
    fuzz_compare(&made, &decoded);
    fuzz_case_free(&c);
    return 0;
}
