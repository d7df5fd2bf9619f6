/* SPDX-License-Identifier: MIT */
/* divide.c - division for cores without the instruction (Cortex-M0+), by the names of the run-time ABI (IHI0043 4.3.1).
 * A shift and a subtraction a bit, small before fast: numbers for people, and a few sizes. */
#include <stdint.h>

uint32_t __aeabi_uidiv(uint32_t value, uint32_t by);
uint64_t __aeabi_uidivmod(uint32_t value, uint32_t by);

#define LIBCALL __attribute__((used))

/* Quotient in the lower word (r0), remainder in the upper one (r1).  By zero: all ones and the value itself. */
LIBCALL uint64_t __aeabi_uidivmod(uint32_t value, uint32_t by) {
    uint32_t quotient = 0, rest = 0;
    for (uint32_t bit = 32; bit-- > 0;) {
        uint32_t carry = rest >> 31;
        rest = rest << 1 | (value >> bit & 1);
        quotient <<= 1;
        if (carry != 0 || rest >= by) {
            rest -= by;
            quotient |= 1;
        }
    }
    return (uint64_t)rest << 32 | quotient;
}

LIBCALL uint32_t __aeabi_uidiv(uint32_t value, uint32_t by) { return (uint32_t)__aeabi_uidivmod(value, by); }
