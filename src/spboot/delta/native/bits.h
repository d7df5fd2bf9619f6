/* SPDX-License-Identifier: MIT */
/* bits.h - what a decision costs, as an integer: the same on every machine.  A bit of stream is SPB_BITS_ONE units. */
#ifndef SPB_BITS_H
#define SPB_BITS_H

#include <stdint.h>

typedef int64_t spb_bits;

#define SPB_BITS_ONE 4096
#define SPB_BITS(hundredths) ((spb_bits)(hundredths) * SPB_BITS_ONE / 100)

/* Price of an event of probability p / 4096, 1 .. 4095. */
spb_bits spb_bits_price(uint32_t p);

/* Bits needed to write value: 0 for 0. */
static inline uint32_t spb_bits_for(uint32_t value) {
    uint32_t bits = 0;
    while (bits < 32 && value >> bits != 0) bits++;
    return bits;
}

#endif
