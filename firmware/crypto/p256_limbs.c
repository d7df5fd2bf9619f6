/* SPDX-License-Identifier: MIT */
/* p256_limbs.c - portable 256-bit arithmetic: the reference, see p256_limbs.h. */
#include "p256_limbs.h"

#if !SPB_LIMBS_M4 && !SPB_LIMBS_M0

uint32_t spb_limbs_add(uint32_t r[8], const uint32_t a[8], const uint32_t b[8])
{
    uint64_t acc = 0;
    for (int i = 0; i < 8; i++) {
        acc += (uint64_t)a[i] + b[i];
        r[i] = (uint32_t)acc;
        acc >>= 32;
    }
    return (uint32_t)acc;
}

uint32_t spb_limbs_sub(uint32_t r[8], const uint32_t a[8], const uint32_t b[8])
{
    uint64_t borrow = 0;
    for (int i = 0; i < 8; i++) {
        uint64_t difference = (uint64_t)a[i] - b[i] - borrow;
        r[i] = (uint32_t)difference;
        borrow = difference >> 63;
    }
    return (uint32_t)borrow;
}

void spb_limbs_mul(uint32_t t[16], const uint32_t a[8], const uint32_t b[8])
{
    for (int i = 0; i < 8; i++)
        t[i] = 0;
    for (int i = 0; i < 8; i++) {
        uint64_t acc = 0;
        for (int j = 0; j < 8; j++) {
            acc += (uint64_t)a[j] * b[i] + t[i + j]; /* at most (2^32-1)^2 + 2 (2^32-1) = 2^64-1 */
            t[i + j] = (uint32_t)acc;
            acc >>= 32;
        }
        t[i + 8] = (uint32_t)acc;
    }
}

/* t[0..8] += m * p, where m = t[0]; returns the carry out of t[8].  The word t[0] becomes 0 and is left unwritten:
 * m p = m 2^256 - m 2^224 + m 2^192 + m 2^96 - m, and the last term takes away exactly t[0]. */
static uint32_t clear_lowest_word(uint32_t t[9], uint32_t carry_in)
{
    uint32_t m = t[0];
    uint64_t acc = (uint64_t)t[3] + m;
    t[3] = (uint32_t)acc;
    acc = (acc >> 32) + t[4];
    t[4] = (uint32_t)acc;
    acc = (acc >> 32) + t[5];
    t[5] = (uint32_t)acc;
    acc = (acc >> 32) + t[6] + m;
    t[6] = (uint32_t)acc;
    acc = (acc >> 32) + t[7] + (((uint64_t)m << 32) - m);
    t[7] = (uint32_t)acc;
    acc = (acc >> 32) + t[8] + carry_in;
    t[8] = (uint32_t)acc;
    return (uint32_t)(acc >> 32);
}

void spb_field_mul(uint32_t r[8], const uint32_t a[8], const uint32_t b[8])
{
    uint32_t t[16];
    uint32_t carry = 0;
    spb_limbs_mul(t, a, b);
    for (int i = 0; i < 8; i++)
        carry = clear_lowest_word(t + i, carry);
    for (int i = 0; i < 8; i++)
        r[i] = t[8 + i];
    if (carry)
        spb_limbs_sub(r, r, spb_p256_prime);
}

#else
typedef int spb_p256_limbs_elsewhere; /* ISO C wants a declaration in every file */
#endif
