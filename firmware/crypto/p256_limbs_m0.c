/* SPDX-License-Identifier: MIT */
/* p256_limbs_m0.c - 256-bit arithmetic for ARMv6-M (Cortex-M0, M0+), see p256_limbs.h.
 *
 * MULS gives 32 bits of a product and leaves the carry flag alone: a 32 x 32 -> 64 product is made of four 16 x 16
 * ones.  The functions are naked and use local numeric labels only, so that they survive link-time optimisation. */
#include "p256_limbs.h"

#if SPB_LIMBS_M0

#pragma GCC diagnostic ignored "-Wunused-parameter" /* the parameters of a naked function are r0, r1 and r2 */
#define NAKED __attribute__((naked, noinline))

/* Two words of r0[] = r1[] op r2[], carry in the flags. */
#define TWO_WORDS(op)           \
    "ldmia r1!, {r3, r4}\n\t"   \
    "ldmia r2!, {r5, r6}\n\t"   \
    op " r3, r3, r5\n\t"        \
    op " r4, r4, r6\n\t"        \
    "stmia r0!, {r3, r4}\n\t"
#define EIGHT_WORDS(op) TWO_WORDS(op) TWO_WORDS(op) TWO_WORDS(op) TWO_WORDS(op)

NAKED uint32_t spb_limbs_add(uint32_t r[8], const uint32_t a[8], const uint32_t b[8])
{
    __asm__ volatile(
        ".syntax unified\n\t"
        "push {r4-r6}\n\t"
        "movs r3, #0\n\t"
        "adds r3, r3, r3\n\t" /* C = 0 */
        EIGHT_WORDS("adcs")
        "movs r0, #0\n\t"
        "adcs r0, r0, r0\n\t"
        "pop {r4-r6}\n\t"
        "bx lr\n\t");
}

NAKED uint32_t spb_limbs_sub(uint32_t r[8], const uint32_t a[8], const uint32_t b[8])
{
    __asm__ volatile(
        ".syntax unified\n\t"
        "push {r4-r6}\n\t"
        "cmp r0, r0\n\t" /* C = 1: no borrow */
        EIGHT_WORDS("sbcs")
        "sbcs r0, r0, r0\n\t" /* 0 or -1 */
        "rsbs r0, r0, #0\n\t"
        "pop {r4-r6}\n\t"
        "bx lr\n\t");
}

/* carry_out:t[off] = a[off] * b + t[off] + carry_in.
 * r0 = t, r1 = 0, r2 and r3 = low and high half of the word of b; a lies at sp.  Uses r5, r7. */
#define MULTIPLY_ADD(off, carry_in, carry_out)                                          \
    "ldr r5, [sp, #" #off "]\n\t"                                                       \
    "lsrs " carry_out ", r5, #16\n\t"                                                   \
    "uxth r5, r5\n\t"                                                                   \
    "mov r7, r5\n\t"                                                                    \
    "muls r7, r2, r7\n\t"                                                               \
    "adds " carry_in ", " carry_in ", r7\n\t" /* low * low, its carry waits in C */     \
    "mov r7, " carry_out "\n\t"                                                         \
    "muls r7, r2, r7\n\t"                                                               \
    "muls " carry_out ", r3, " carry_out "\n\t"                                         \
    "adcs " carry_out ", " carry_out ", r1\n\t" /* high * high */                       \
    "muls r5, r3, r5\n\t"                                                               \
    "adds r5, r5, r7\n\t" /* the two middle products, 33 bits */                        \
    "movs r7, #0\n\t"                                                                   \
    "adcs r7, r7, r7\n\t"                                                               \
    "lsls r7, r7, #16\n\t"                                                              \
    "adds " carry_out ", " carry_out ", r7\n\t"                                         \
    "lsrs r7, r5, #16\n\t"                                                              \
    "lsls r5, r5, #16\n\t"                                                              \
    "adds " carry_in ", " carry_in ", r5\n\t"                                           \
    "adcs " carry_out ", " carry_out ", r7\n\t"                                         \
    "ldr r5, [r0, #" #off "]\n\t"                                                       \
    "adds r5, r5, " carry_in "\n\t"                                                     \
    "adcs " carry_out ", " carry_out ", r1\n\t"                                         \
    "str r5, [r0, #" #off "]\n\t"

/* A row for each word of b; lr = b, moving up, r12 = its end.  a is copied to the stack: no register for its address. */
NAKED void spb_limbs_mul(uint32_t t[16], const uint32_t a[8], const uint32_t b[8])
{
    __asm__ volatile(
        ".syntax unified\n\t"
        "push {r4-r7, lr}\n\t"
        "mov lr, r2\n\t"
        "adds r2, r2, #32\n\t"
        "mov r12, r2\n\t"
        "adds r1, r1, #16\n\t"
        "ldmia r1!, {r4-r7}\n\t"
        "push {r4-r7}\n\t"
        "subs r1, r1, #32\n\t"
        "ldmia r1!, {r4-r7}\n\t"
        "push {r4-r7}\n\t"
        /* t[0..7] = 0, where the first row adds to them. */
        "movs r1, #0\n\t"
        "movs r2, #0\n\t"
        "movs r3, #0\n\t"
        "movs r4, #0\n\t"
        "stmia r0!, {r1-r4}\n\t"
        "stmia r0!, {r1-r4}\n\t"
        "subs r0, r0, #32\n\t"
        "1:\n\t"
        "mov r7, lr\n\t"
        "ldmia r7!, {r3}\n\t"
        "mov lr, r7\n\t"
        "uxth r2, r3\n\t"
        "lsrs r3, r3, #16\n\t"
        "movs r4, #0\n\t"
        MULTIPLY_ADD(0, "r4", "r6")
        MULTIPLY_ADD(4, "r6", "r4")
        MULTIPLY_ADD(8, "r4", "r6")
        MULTIPLY_ADD(12, "r6", "r4")
        MULTIPLY_ADD(16, "r4", "r6")
        MULTIPLY_ADD(20, "r6", "r4")
        MULTIPLY_ADD(24, "r4", "r6")
        MULTIPLY_ADD(28, "r6", "r4")
        "str r4, [r0, #32]\n\t"
        "adds r0, r0, #4\n\t"
        "cmp lr, r12\n\t"
        "beq 2f\n\t"
        "b 1b\n\t" /* too far for a conditional branch */
        "2:\n\t"
        "add sp, sp, #32\n\t"
        "pop {r4-r7, pc}\n\t");
}

/* r = t / 2^256 mod p in eight Montgomery steps; returns bit 256 of the result.  t is overwritten.
 * A step adds m * p, m = t[0]: m added to words 3 and 6, m (2^32 - 1) to words 7 and 8; word 0 then counts as zero.
 * r1 = t + 1 word, and r0 what follows what r1 writes; r2 = m; r3 = 0; lr = carry of the step before into word 8; r12 = end. */
NAKED static uint32_t reduce(uint32_t r[8], uint32_t t[16])
{
    __asm__ volatile(
        ".syntax unified\n\t"
        "push {r0, r4-r7, lr}\n\t"
        "movs r3, #0\n\t"
        "mov lr, r3\n\t"
        "mov r4, r1\n\t"
        "adds r4, r4, #32\n\t"
        "mov r12, r4\n\t"
        "1:\n\t"
        "ldmia r1!, {r2}\n\t"
        "adds r1, r1, #8\n\t"
        "mov r0, r1\n\t"
        "ldmia r0!, {r4-r7}\n\t"
        "adds r4, r4, r2\n\t"
        "adcs r5, r5, r3\n\t"
        "adcs r6, r6, r3\n\t"
        "adcs r7, r7, r2\n\t"
        "stmia r1!, {r4-r7}\n\t"
        /* r6:r4 = word 7 + carry - m, r6 in -1 .. 1; then word 8 gets r6 + m, which is not negative. */
        "ldmia r0!, {r4, r5}\n\t"
        "movs r6, #0\n\t"
        "adcs r4, r4, r3\n\t"
        "adcs r6, r6, r6\n\t"
        "subs r4, r4, r2\n\t"
        "sbcs r6, r6, r3\n\t"
        "adds r6, r6, r2\n\t"
        "adds r5, r5, r6\n\t"
        "movs r6, #0\n\t"
        "adcs r6, r6, r6\n\t"
        "mov r7, lr\n\t"
        "adds r5, r5, r7\n\t"
        "adcs r6, r6, r3\n\t"
        "mov lr, r6\n\t"
        "stmia r1!, {r4, r5}\n\t"
        "subs r1, r1, #32\n\t"
        "cmp r1, r12\n\t"
        "bne 1b\n\t"
        "pop {r0}\n\t"
        "ldmia r1!, {r2-r5}\n\t"
        "stmia r0!, {r2-r5}\n\t"
        "ldmia r1!, {r2-r5}\n\t"
        "stmia r0!, {r2-r5}\n\t"
        "mov r0, lr\n\t"
        "pop {r4-r7, pc}\n\t");
}

void spb_field_mul(uint32_t r[8], const uint32_t a[8], const uint32_t b[8])
{
    uint32_t t[16];
    spb_limbs_mul(t, a, b);
    if (reduce(r, t))
        spb_limbs_sub(r, r, spb_p256_prime);
}

#else
typedef int spb_p256_limbs_m0_elsewhere; /* ISO C wants a declaration in every file */
#endif
