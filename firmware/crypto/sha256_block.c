/* SPDX-License-Identifier: MIT */
/* sha256_block.c - portable: the reference, see sha256_block.h.
 * Eight rounds are spelled out in a loop, so that the eight state words change names instead of places. */
#include "sha256_block.h"

#if !SPB_SHA256_THUMB2

#define INLINE static inline __attribute__((always_inline)) /* size optimisation would call them */

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

void spb_sha256_block(uint32_t state[8], const uint8_t block[64], const uint32_t constant[64])
{
    uint32_t schedule[64];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    uint32_t b_c = b ^ c;
    const uint32_t *w = schedule;
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

#else
typedef int spb_sha256_block_elsewhere; /* ISO C wants a declaration in every file */
#endif
