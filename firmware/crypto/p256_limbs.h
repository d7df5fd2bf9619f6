/* SPDX-License-Identifier: MIT */
/* p256_limbs.h - 256-bit arithmetic under p256.c: the few functions worth writing in assembly.
 *
 * A number is eight 32-bit words ("limbs"), least significant first.  There are three implementations, each a file that
 * compiles to nothing where it is not the one: p256_limbs_m4.c (UMAAL), p256_limbs_m0.c (Thumb-1 with a 32-bit
 * multiplier) and p256_limbs.c (portable; every other core, and the host).
 *
 * L1  Any 256-bit value is a legal operand of every function; r may be a or b, but a product t overlaps nothing.
 * L2  spb_field_mul, _add and _sub return a value below 2^256 that is congruent to the result, not always the smallest one.
 *     Bounds are derived in p256.c, "Numbers modulo p". */
#ifndef SPB_P256_LIMBS_H
#define SPB_P256_LIMBS_H

#include <stdint.h>

#if defined(SPB_P256_PORTABLE) /* set by tests that want the reference on a core that has a faster one */
#define SPB_LIMBS_M4 0
#define SPB_LIMBS_M0 0
#elif defined(__ARM_FEATURE_DSP)
#define SPB_LIMBS_M4 1
#define SPB_LIMBS_M0 0
#elif defined(__ARM_ARCH_6M__)
#define SPB_LIMBS_M4 0
#define SPB_LIMBS_M0 1
#else
#define SPB_LIMBS_M4 0
#define SPB_LIMBS_M0 0
#endif

/* p = 2^256 - 2^224 + 2^192 + 2^96 - 1 */
extern const uint32_t spb_p256_prime[8];

/* r = a + b mod 2^256; returns the carry, 0 or 1. */
uint32_t spb_limbs_add(uint32_t r[8], const uint32_t a[8], const uint32_t b[8]);

/* r = a - b mod 2^256; returns the borrow, 0 or 1. */
uint32_t spb_limbs_sub(uint32_t r[8], const uint32_t a[8], const uint32_t b[8]);

/* t = a * b */
void spb_limbs_mul(uint32_t t[16], const uint32_t a[8], const uint32_t b[8]);

/* r = a * b / 2^256 mod p, below 2^256 */
void spb_field_mul(uint32_t r[8], const uint32_t a[8], const uint32_t b[8]);

/* r = a + b mod p and r = a - b mod p, below 2^256 */
void spb_field_add(uint32_t r[8], const uint32_t a[8], const uint32_t b[8]);
void spb_field_sub(uint32_t r[8], const uint32_t a[8], const uint32_t b[8]);

#endif
