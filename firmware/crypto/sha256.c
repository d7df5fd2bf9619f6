/* SPDX-License-Identifier: MIT */
/* sha256.c - SHA-256, see sha256.h.  Hashing is most of what a boot does: this is written for speed in little flash.
 * Eight rounds are spelled out in a loop, so that the eight state words change names instead of places. */
#include "sha256.h"
#include "tested.h"

#define INLINE static inline __attribute__((always_inline)) /* size optimisation would call them */

static const uint32_t round_constant[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static const uint32_t initial_state[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

INLINE uint32_t ror(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

/* The functions of FIPS 180-4 4.1.2; the big sigmas in a form that takes one rotation less where shifts are free. */
INLINE uint32_t big_sigma0(uint32_t x) /* ror 2 ^ ror 13 ^ ror 22 */
{
    return ror(x ^ ror(x, 11) ^ ror(x, 20), 2);
}

INLINE uint32_t big_sigma1(uint32_t x) /* ror 6 ^ ror 11 ^ ror 25 */
{
    return ror(x ^ ror(x, 5) ^ ror(x, 19), 6);
}

INLINE uint32_t small_sigma0(uint32_t x)
{
    return ror(x, 7) ^ ror(x, 18) ^ x >> 3;
}

INLINE uint32_t small_sigma1(uint32_t x)
{
    return ror(x, 17) ^ ror(x, 19) ^ x >> 10;
}

INLINE uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
    return z ^ (x & (y ^ z));
}

static uint32_t load_big_endian(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* A round.  Afterwards d and h hold what the standard calls e and a.  The majority of a, b and c is b ^ (a^b & b^c),
 * and the a^b of a round is the b^c of the next. */
#define ROUND(a, b, c, d, e, f, g, h, i)                           \
    do {                                                           \
        uint32_t a_b = a ^ b;                                      \
        h += constant[i] + w[i] + choose(e, f, g) + big_sigma1(e); \
        d += h;                                                    \
        h += big_sigma0(a) + (b ^ (a_b & b_c));                    \
        b_c = a_b;                                                 \
    } while (0)

/* Loops here end with their test: optimising for size, compilers leave it where it is written. */
static void expand(uint32_t w[64], const uint8_t block[64])
{
    int i = 0;
    do
        w[i] = load_big_endian(block + 4 * i);
    while (++i < 16);
    do
        w[i] = w[i - 16] + small_sigma0(w[i - 15]) + w[i - 7] + small_sigma1(w[i - 2]);
    while (++i < 64);
}

static void compress(uint32_t state[8], const uint8_t block[64])
{
    uint32_t schedule[64];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    uint32_t b_c = b ^ c;
    const uint32_t *w = schedule, *constant = round_constant;
    expand(schedule, block);
    do {
        ROUND(a, b, c, d, e, f, g, h, 0);
        ROUND(h, a, b, c, d, e, f, g, 1);
        ROUND(g, h, a, b, c, d, e, f, 2);
        ROUND(f, g, h, a, b, c, d, e, 3);
        ROUND(e, f, g, h, a, b, c, d, 4);
        ROUND(d, e, f, g, h, a, b, c, 5);
        ROUND(c, d, e, f, g, h, a, b, 6);
        ROUND(b, c, d, e, f, g, h, a, 7);
        w += 8;
        constant += 8;
    } while (w < schedule + 64);
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

SPB_TESTED void spb_sha256_init(struct spb_sha256 *s)
{
    for (int i = 0; i < 8; i++)
        s->state[i] = initial_state[i];
    s->len = 0;
}

SPB_TESTED void spb_sha256_update(struct spb_sha256 *s, const void *data, size_t len)
{
    const uint8_t *next = data;
    while (len > 0) {
        size_t used = s->len % 64;
        size_t take = 64 - used < len ? 64 - used : len;
        if (take == 64) {
            compress(s->state, next); /* whole blocks are not copied */
        } else {
            for (size_t i = 0; i < take; i++)
                s->block[used + i] = next[i];
            if (used + take == 64)
                compress(s->state, s->block);
        }
        s->len += (uint32_t)take;
        next += take;
        len -= take;
    }
}

static void store_big_endian(uint8_t *b, uint32_t word)
{
    b[0] = (uint8_t)(word >> 24);
    b[1] = (uint8_t)(word >> 16);
    b[2] = (uint8_t)(word >> 8);
    b[3] = (uint8_t)word;
}

SPB_TESTED void spb_sha256_final(struct spb_sha256 *s, uint8_t hash[32])
{
    static const uint8_t mark = 0x80, zero = 0;
    uint8_t bit_len[8] = {0};
    store_big_endian(bit_len + 3, s->len >> 5);
    bit_len[7] = (uint8_t)(s->len << 3);
    spb_sha256_update(s, &mark, 1);
    while (s->len % 64 != 56)
        spb_sha256_update(s, &zero, 1);
    spb_sha256_update(s, bit_len, sizeof bit_len);
    for (int i = 0; i < 8; i++)
        store_big_endian(hash + 4 * i, s->state[i]);
}
