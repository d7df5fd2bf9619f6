/* SPDX-License-Identifier: MIT */
/* rest.h - Stop when no task has work, and a clock of microseconds. */
#ifndef REST_H
#define REST_H

#include <stdint.h>

/* Clocks for Stop, and the crystal, without which the chip only sleeps. */
void rest_start(void);

/* How often the chip was in Stop, and for how many milliseconds. */
struct rest {
    uint32_t stops, ms;
};
struct rest rest_so_far(void);

/* Microseconds since the start; wraps at 2^32. */
uint32_t rest_us(void);

#endif
