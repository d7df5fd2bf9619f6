/* SPDX-License-Identifier: MIT */
/* divide.c - division for cores without the instruction (Cortex-M0+), by the names of the run-time ABI (IHI0043 4.3.1).
 * A shift and a subtraction a bit, small before fast: numbers for people, and a few sizes. */
#include <stdint.h>

/* To the compiler, which calls them: quotient in r0, remainder in r1. */
uint32_t __aeabi_uidivmod(uint32_t value, uint32_t by);
uint32_t __aeabi_uidiv(uint32_t value, uint32_t by);

/* Bits of the value leave r0 at the top while those of the quotient enter below; the rest in r2 may have a 33rd bit for a
 * moment.  By zero: all ones and the value itself. */
__attribute__((naked, used)) uint32_t __aeabi_uidivmod(uint32_t value __attribute__((unused)),
                                                       uint32_t by __attribute__((unused))) {
    __asm volatile(".syntax unified\n"
                   "movs r2, #0\n"
                   "movs r3, #32\n"
                   "1: adds r0, r0, r0\n"
                   "adcs r2, r2\n"
                   "bcs 2f\n"
                   "cmp r2, r1\n"
                   "blo 3f\n"
                   "2: subs r2, r2, r1\n"
                   "adds r0, #1\n"
                   "3: subs r3, #1\n"
                   "bne 1b\n"
                   "movs r1, r2\n"
                   "bx lr\n");
}

__attribute__((alias("__aeabi_uidivmod"), used)) uint32_t __aeabi_uidiv(uint32_t value, uint32_t by);
