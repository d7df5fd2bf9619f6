/* SPDX-License-Identifier: MIT */
#include "tick.h"

#include "cortex.h"
#include "spb_chip.h"

#define CYCLES_PER_MS (SPB_CLOCK_HZ / 1000u)

static uint32_t last, rest, ms;

void spb_tick_start(void) {
    spb_cortex_count_start();
    last = spb_cortex_count();
}

void spb_tick_stop(void) { spb_cortex_count_stop(); }

uint32_t spb_tick_ms(void) {
    uint32_t now = spb_cortex_count();
    rest += (last - now) & SPB_CORTEX_COUNTS;
    last = now;
    while (rest >= CYCLES_PER_MS) {
        rest -= CYCLES_PER_MS;
        ms++;
    }
    return ms;
}

/* Since the last reading the counter may have gone round more than once. */
void spb_tick_slept(uint32_t cycles) {
    uint32_t now = spb_cortex_count();
    rest += cycles + ((last - now - cycles) & SPB_CORTEX_COUNTS);
    last = now;
    (void)spb_tick_ms();
}
