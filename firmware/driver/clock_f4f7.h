/* SPDX-License-Identifier: MIT */
/* clock_f4f7.h - what of clock_f4f7.c the IP versions do differently (rcc_f4.c, rcc_f7.c). */
#ifndef SPB_CLOCK_F4F7_H
#define SPB_CLOCK_F4F7_H

#include <stdint.h>

struct spb_clock_limits {
    uint32_t scale_1_above_hz;      /* from here on VOS must be set to scale 1 */
    uint32_t over_drive_above_hz;
    uint32_t apb1_hz, apb1_over_drive_hz;   /* APB2 carries twice as much */
};
extern const struct spb_clock_limits spb_clock_limits;

/* Wait states, and caches on. */
void spb_clock_flash_fast(uint32_t wait_states);

/* Wait states and caches as after a reset. */
void spb_clock_flash_slow(void);

#endif
