/* SPDX-License-Identifier: MIT */
#include "bits.h"

/* log2 of p by squaring: the mantissa m in 1 .. 2 (31 fractional bits) gives one bit of the logarithm each time. */
spb_bits spb_bits_price(uint32_t p) {
    uint32_t whole = spb_bits_for(p) - 1;
    uint64_t m = (uint64_t)p << (31 - whole);
    spb_bits log = whole;
    for (uint32_t i = 0; i < 12; i++) {
        m = m * m >> 31;
        log <<= 1;
        if (m >> 32 != 0) {
            m >>= 1;
            log |= 1;
        }
    }
    return 12 * SPB_BITS_ONE - log;
}
