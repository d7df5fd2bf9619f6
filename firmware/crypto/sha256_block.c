/* SPDX-License-Identifier: MIT */
/* sha256_block.c - portable: the reference, see sha256_block.h.
 * The state lies in memory in front of the schedule, h first.  A round looks at nine words, leaves the new a where the word
 * of the schedule was that it used, makes d the new e in place, and goes on one word further: nothing is moved. */
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

INLINE uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
    return y ^ ((x ^ y) & (y ^ z));
}

static uint32_t load_big_endian(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

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
    uint32_t words[8 + 64];
    uint32_t *at = words;
    int i = 7;
    do
        *at++ = state[i];
    while (--i >= 0);
    expand(at, block);
    at = words;
    do {
        uint32_t h = at[0] + at[8] + *constant++ + choose(at[3], at[2], at[1]) + big_sigma1(at[3]);
        at[4] += h;
        at[8] = h + majority(at[7], at[6], at[5]) + big_sigma0(at[7]);
    } while (++at < words + 64);
    i = 7;
    do
        state[i] += *at++;
    while (--i >= 0);
}

#else
typedef int spb_sha256_block_elsewhere; /* ISO C wants a declaration in every file */
#endif
