/* SPDX-License-Identifier: MIT */
/* p256_limbs_m4.c - 256-bit arithmetic for cores with the DSP extension (Cortex-M4, M7, M33), see p256_limbs.h.
 *
 * UMAAL lo, hi, x, y computes hi:lo = x * y + lo + hi, which cannot overflow: a multiply with both carries included.
 * The functions are naked and use local numeric labels only, so that they survive link-time optimisation. */
#include "p256_limbs.h"

#if SPB_LIMBS_M4

#pragma GCC diagnostic ignored "-Wunused-parameter" /* the parameters of a naked function are r0, r1 and r2 */
#define NAKED __attribute__((naked, noinline))

/* a - b is a + ~b + 1: r3 is all ones where b is to be complemented, and its lowest bit the carry to begin with.  TEQ of
 * registers and EORS leave the carry alone. */
NAKED uint32_t spb_limbs_add(uint32_t r[8], const uint32_t a[8], const uint32_t b[8])
{
    __asm__ volatile(
        "movs r3, #0\n\t"
        "b 2f\n\t"
        ".global spb_limbs_sub\n\t"
        ".thumb_func\n\t"
        "spb_limbs_sub:\n\t"
        "mvn r3, #0\n\t"
        "2:\n\t"
        "push {r4, r5}\n\t"
        "lsrs r4, r3, #1\n\t"
        "add r12, r1, #32\n\t"
        "1:\n\t"
        "ldmia r1!, {r4}\n\t"
        "ldmia r2!, {r5}\n\t"
        "eors r5, r5, r3\n\t"
        "adcs r4, r4, r5\n\t"
        "stmia r0!, {r4}\n\t"
        "teq r1, r12\n\t"
        "bne 1b\n\t"
        "adc r0, r3, #0\n\t" /* 0 or 1; of a difference 0 or -1 */
        "and r0, r0, #1\n\t"
        "pop {r4, r5}\n\t"
        "bx lr\n\t");
}

/* r3-r10 = r1[] op r2[], carry in the flags; changes r1, r2, r11, r12 and lr. */
#define ALL_WORDS(first, op)                            \
    "ldmia r1, {r3-r10}\n\t"                            \
    "ldmia r2!, {r1, r11, r12, lr}\n\t"                 \
    first " r3, r3, r1\n\t"                             \
    op " r4, r4, r11\n\t"                               \
    op " r5, r5, r12\n\t"                               \
    op " r6, r6, lr\n\t"                                \
    "ldmia r2, {r1, r2, r11, r12}\n\t"                  \
    op " r7, r7, r1\n\t"                                \
    op " r8, r8, r2\n\t"                                \
    op " r9, r9, r11\n\t"                               \
    op " r10, r10, r12\n\t"

/* r3-r10 = r3-r10 op 2^256 - p = {1, 0, 0, -1, -1, -1, -2, 0}: p the other way round, with the carry dropped. */
#define CORRECT(first, op)                              \
    "movs r1, #0\n\t"                                   \
    "mvns r2, r1\n\t"                                   \
    first " r3, r3, #1\n\t"                             \
    op " r4, r4, r1\n\t"                                \
    op " r5, r5, r1\n\t"                                \
    op " r6, r6, r2\n\t"                                \
    op " r7, r7, r2\n\t"                                \
    op " r8, r8, r2\n\t"                                \
    op " r9, r9, r2, lsl #1\n\t"                        \
    op " r10, r10, r1\n\t"

/* The product is made in two passes, each of four words of a (r3-r6) times all of b, four of them at a time.  A
 * column takes one word of b and one of t, retires the lowest of the five window words into t, and moves the
 * window up by renaming registers.
 * r0 = t, r2 = b. */
#define COLUMN(w0, w1, w2, w3, w4)              \
    "ldr r12, [r2], #4\n\t"                     \
    "ldr " #w4 ", [r0]\n\t"                     \
    "umaal " #w0 ", " #w4 ", r3, r12\n\t"       \
    "umaal " #w1 ", " #w4 ", r4, r12\n\t"       \
    "umaal " #w2 ", " #w4 ", r5, r12\n\t"       \
    "umaal " #w3 ", " #w4 ", r6, r12\n\t"       \
    "str " #w0 ", [r0], #4\n\t"

/* A Montgomery step on the window w0 .. w7 of t adds m * p and drops the words that hold m, which count as zero then.
 * p = 2^256 - 2^224 + 2^192 + 2^96 - 1 is -1 modulo 2^96, so that m is as it stands the lowest three words (or two): the
 * term -m takes them away, and the others are added above.  r0 = carry out of w7. */
#define REDUCE_3(m0, m1, m2, w0, w1, w2, w3, w4, w5, w6, w7)                        \
    "adds " #w0 ", " #w0 ", " #m0 "\n\t" /* 2^96 m */                               \
    "adcs " #w1 ", " #w1 ", " #m1 "\n\t"                                           \
    "adcs " #w2 ", " #w2 ", " #m2 "\n\t"                                           \
    "adcs " #w3 ", " #w3 ", " #m0 "\n\t" /* 2^192 m */                              \
    "adcs " #w4 ", " #w4 ", " #m1 "\n\t"                                           \
    "adcs " #w5 ", " #w5 ", " #m2 "\n\t"                                           \
    "adcs " #w6 ", " #w6 ", #0\n\t"                                                \
    "adcs " #w7 ", " #w7 ", #0\n\t"                                                \
    "adc r0, r0, #0\n\t"                                                          \
    "subs " #w4 ", " #w4 ", " #m0 "\n\t" /* -2^224 m */                             \
    "sbcs " #w5 ", " #w5 ", " #m1 "\n\t"                                           \
    "sbcs " #w6 ", " #w6 ", " #m2 "\n\t"                                           \
    "sbcs " #w7 ", " #w7 ", #0\n\t"                                                \
    "sbc r0, r0, #0\n\t"                                                          \
    "adds " #w5 ", " #w5 ", " #m0 "\n\t" /* 2^256 m */                              \
    "adcs " #w6 ", " #w6 ", " #m1 "\n\t"                                           \
    "adcs " #w7 ", " #w7 ", " #m2 "\n\t"                                           \
    "adc r0, r0, #0\n\t"

#define REDUCE_2(m0, m1, w1, w2, w3, w4, w5, w6, w7)                                \
    "adds " #w1 ", " #w1 ", " #m0 "\n\t"                                           \
    "adcs " #w2 ", " #w2 ", " #m1 "\n\t"                                           \
    "adcs " #w3 ", " #w3 ", #0\n\t"                                                \
    "adcs " #w4 ", " #w4 ", " #m0 "\n\t"                                           \
    "adcs " #w5 ", " #w5 ", " #m1 "\n\t"                                           \
    "adcs " #w6 ", " #w6 ", #0\n\t"                                                \
    "adcs " #w7 ", " #w7 ", #0\n\t"                                                \
    "adc r0, r0, #0\n\t"                                                          \
    "subs " #w5 ", " #w5 ", " #m0 "\n\t"                                           \
    "sbcs " #w6 ", " #w6 ", " #m1 "\n\t"                                           \
    "sbcs " #w7 ", " #w7 ", #0\n\t"                                                \
    "sbc r0, r0, #0\n\t"                                                          \
    "adds " #w6 ", " #w6 ", " #m0 "\n\t"                                           \
    "adcs " #w7 ", " #w7 ", " #m1 "\n\t"                                           \
    "adc r0, r0, #0\n\t"

NAKED void spb_field_mul(uint32_t r[8], const uint32_t a[8], const uint32_t b[8])
{
    __asm__ volatile(
        "push {r0, r4-r11, lr}\n\t"
        "sub sp, sp, #64\n\t"
        "mov r0, sp\n\t"
        "mov lr, #0xA0000000\n\t"

        /* The product, for spb_limbs_mul, too.  Bits of lr from the top: once more, another pass, once more, done; what is
         * left then tells whose it is, and is 0 for us. */
        "3:\n\t"
        /* t[0..7] = 0, where the first pass adds to them. */
        "movs r3, #0\n\t"
        "movs r4, #0\n\t"
        "movs r5, #0\n\t"
        "movs r6, #0\n\t"
        "stmia r0!, {r3-r6}\n\t"
        "stmia r0, {r3-r6}\n\t"
        "sub r0, r0, #16\n\t"
        "1:\n\t"
        "ldmia r1!, {r3-r6}\n\t"
        "movs r7, #0\n\t"
        "mov r8, #0\n\t"
        "mov r9, #0\n\t"
        "mov r10, #0\n\t"
        "2:\n\t"
        COLUMN(r7, r8, r9, r10, r11)
        COLUMN(r8, r9, r10, r11, r7)
        COLUMN(r9, r10, r11, r7, r8)
        COLUMN(r10, r11, r7, r8, r9)
        "mov r10, r9\n\t" /* r7-r10 from r11, r7, r8, r9 */
        "mov r9, r8\n\t"
        "mov r8, r7\n\t"
        "mov r7, r11\n\t"
        "lsls lr, lr, #1\n\t"
        "bcs 2b\n\t"
        "stmia r0, {r7-r10}\n\t"
        "sub r0, r0, #16\n\t"
        "sub r2, r2, #32\n\t"
        "bmi 1b\n\t"
        "bne 4f\n\t"

        /* Reduce, three words, three and two.  The words that a step drops make room for the next ones of t. */
        "mov r1, sp\n\t"
        "movs r0, #0\n\t"
        "ldmia r1!, {r6-r12, lr}\n\t"
        "ldmia r1!, {r3-r5}\n\t"
        REDUCE_3(r6, r7, r8, r9, r10, r11, r12, lr, r3, r4, r5)
        "ldmia r1!, {r6-r8}\n\t"
        "adds r6, r6, r0\n\t"
        "adcs r7, r7, #0\n\t"
        "adcs r8, r8, #0\n\t"
        "mov r0, #0\n\t"
        "adc r0, r0, r0\n\t"
        REDUCE_3(r9, r10, r11, r12, lr, r3, r4, r5, r6, r7, r8)
        "ldrd r9, r10, [r1]\n\t"
        "adds r9, r9, r0\n\t"
        "adcs r10, r10, #0\n\t"
        "mov r0, #0\n\t"
        "adc r0, r0, r0\n\t"
        REDUCE_2(r12, lr, r4, r5, r6, r7, r8, r9, r10)
        "lsrs r0, r0, #1\n\t"
        "add sp, sp, #64\n\t"
        "pop {r0}\n\t"

        /* r0[] = r3-r10 less p, as long as there is a carry: once at most after a product, twice after a sum, see p256.c. */
        "5:\n\t"
        "bcc 6f\n\t"
        CORRECT("adds", "adcs")
        "b 5b\n\t"
        "6:\n\t"
        "stmia r0, {r3-r10}\n\t"
        "pop {r4-r11, pc}\n\t"

        /* The same with borrows, which are carries that are clear. */
        ".global spb_field_sub\n\t"
        ".thumb_func\n\t"
        "spb_field_sub:\n\t"
        "push {r4-r11, lr}\n\t"
        ALL_WORDS("subs", "sbcs")
        "7:\n\t"
        "bcs 6b\n\t"
        CORRECT("subs", "sbcs")
        "b 7b\n\t"

        /* Behind each branch is what neither goes on with numbers nor pushes one as a return address. */
        "4:\n\t"
        "pop {r4-r11, pc}\n\t"

        ".global spb_limbs_mul\n\t"
        ".thumb_func\n\t"
        "spb_limbs_mul:\n\t"
        "push {r4-r11, lr}\n\t"
        "mov lr, #0xA000A000\n\t"
        "b 3b\n\t"

        ".global spb_field_add\n\t"
        ".thumb_func\n\t"
        "spb_field_add:\n\t"
        "push {r4-r11, lr}\n\t"
        ALL_WORDS("adds", "adcs")
        "b 5b\n\t"
        "udf #0\n\t");
}

#else
typedef int spb_p256_limbs_m4_elsewhere; /* ISO C wants a declaration in every file */
#endif
