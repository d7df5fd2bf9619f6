/* SPDX-License-Identifier: MIT */
/* sha256_block_thumb2.c - for cores with Thumb-2 (Cortex-M3, M4, M7, M33), see sha256_block.h.
 * The state stays in r4-r11.  Two rounds are spelled out; then the eight words move two places, which costs less than
 * the flash for eight rounds.  Compilers spill here, and need twice the room.
 * The function is naked and uses local numeric labels only, so that it survives link-time optimisation. */
#include "sha256_block.h"

#if SPB_SHA256_THUMB2

#pragma GCC diagnostic ignored "-Wunused-parameter" /* the parameters of a naked function are r0, r1 and r2 */

/* r1 = next word of the schedule, r2 = next constant, b_c = b ^ c of this round; leaves a ^ b, that of the next one, in
 * a_b.  Afterwards d and h hold what the standard calls e and a.  The big sigmas are in a form that takes one rotation
 * less where shifts are free; the majority of a, b and c is b ^ (a^b & b^c). */
#define ROUND(a, b, c, d, e, f, g, h, b_c, a_b)                     \
    "ldr r0, [r1], #4\n\t"                                          \
    "ldr " #a_b ", [r2], #4\n\t"                                    \
    "add " #h ", " #h ", r0\n\t"                                    \
    "eor r0, " #e ", " #e ", ror #5\n\t"                            \
    "add " #h ", " #h ", " #a_b "\n\t"                              \
    "eor r0, r0, " #e ", ror #19\n\t"                               \
    "add " #h ", " #h ", r0, ror #6\n\t"                            \
    "eor r0, " #f ", " #g "\n\t"                                    \
    "and r0, r0, " #e "\n\t"                                        \
    "eor r0, r0, " #g "\n\t"                                        \
    "add " #h ", " #h ", r0\n\t"                                    \
    "add " #d ", " #d ", " #h "\n\t"                                \
    "eor r0, " #a ", " #a ", ror #11\n\t"                           \
    "eor r0, r0, " #a ", ror #20\n\t"                               \
    "add " #h ", " #h ", r0, ror #2\n\t"                            \
    "eor " #a_b ", " #a ", " #b "\n\t"                              \
    "and " #b_c ", " #b_c ", " #a_b "\n\t"                          \
    "eor " #b_c ", " #b_c ", " #b "\n\t"                            \
    "add " #h ", " #h ", " #b_c "\n\t"

__attribute__((naked, noinline)) void spb_sha256_block(uint32_t state[8], const uint8_t block[64],
                                                      const uint32_t constant[64])
{
    __asm__ volatile(
        ".syntax unified\n\t"
        "push {r0, r4-r11, lr}\n\t"
        "sub sp, sp, #296\n\t" /* the schedule, and below it what would be popped if it were not given back: */
        "movs r4, #0\n\t"
        "str r4, [sp, #36]\n\t" /* an address that is none, and no word of the message (sha256_block.h H3) */
        "add r3, sp, #40\n\t"
        /* The schedule: 16 words of the block, then 48 made of them. */
        "movs r4, #16\n\t"
        "1:\n\t"
        "ldr r5, [r1], #4\n\t" /* at any alignment */
        "rev r5, r5\n\t"
        "stmia r3!, {r5}\n\t"
        "subs r4, r4, #1\n\t"
        "bne 1b\n\t"
        "movs r4, #48\n\t"
        "1:\n\t"
        "ldr r5, [r3, #-60]\n\t"
        "ldr r6, [r3, #-8]\n\t"
        "ldr r7, [r3, #-64]\n\t"
        "ldr r1, [r3, #-28]\n\t"
        "add r7, r7, r1\n\t"
        "ror r1, r5, #7\n\t"
        "eor r1, r1, r5, ror #18\n\t"
        "eor r1, r1, r5, lsr #3\n\t"
        "add r7, r7, r1\n\t"
        "ror r1, r6, #17\n\t"
        "eor r1, r1, r6, ror #19\n\t"
        "eor r1, r1, r6, lsr #10\n\t"
        "add r7, r7, r1\n\t"
        "stmia r3!, {r7}\n\t"
        "subs r4, r4, #1\n\t"
        "bne 1b\n\t"

        "mov lr, r3\n\t" /* the end of the schedule */
        "add r1, sp, #40\n\t"
        "ldmia r0, {r4-r11}\n\t"
        "eor r12, r5, r6\n\t"
        "1:\n\t"
        ROUND(r4, r5, r6, r7, r8, r9, r10, r11, r12, r3)
        ROUND(r11, r4, r5, r6, r7, r8, r9, r10, r3, r12)
        "mov r0, r10\n\t" /* a, c, e, g from g, a, c, e */
        "mov r10, r8\n\t"
        "mov r8, r6\n\t"
        "mov r6, r4\n\t"
        "mov r4, r0\n\t"
        "mov r0, r11\n\t" /* b, d, f, h from h, b, d, f */
        "mov r11, r9\n\t"
        "mov r9, r7\n\t"
        "mov r7, r5\n\t"
        "mov r5, r0\n\t"
        "cmp r1, lr\n\t"
        "bne 1b\n\t"

        "add sp, sp, #296\n\t"
        "pop {r0}\n\t"
        "ldmia r0, {r1, r2, r3, r12}\n\t"
        "add r4, r4, r1\n\t"
        "add r5, r5, r2\n\t"
        "add r6, r6, r3\n\t"
        "add r7, r7, r12\n\t"
        "stmia r0!, {r4-r7}\n\t"
        "ldmia r0, {r1, r2, r3, r12}\n\t"
        "add r8, r8, r1\n\t"
        "add r9, r9, r2\n\t"
        "add r10, r10, r3\n\t"
        "add r11, r11, r12\n\t"
        "stmia r0, {r8-r11}\n\t"
        "pop {r4-r11, pc}\n\t");
}

#else
typedef int spb_sha256_block_thumb2_elsewhere; /* ISO C wants a declaration in every file */
#endif
