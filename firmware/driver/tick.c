/* SPDX-License-Identifier: MIT */
#include "tick.h"

#include "cortex.h"
#include "spb_chip.h"

#define CYCLES_PER_MS (SPB_CLOCK_HZ / 1000u)

/* One address for the three. */
static struct {
    uint32_t last, rest, ms;
} t;

void spb_tick_start(void) {
    spb_cortex_count_start();
    t.last = spb_cortex_count();
}

void spb_tick_stop(void) { spb_cortex_count_stop(); }

uint32_t spb_tick_ms(void) {
    uint32_t now = spb_cortex_count();
    t.rest += (t.last - now) & SPB_CORTEX_COUNTS;
    t.last = now;
    while (t.rest >= CYCLES_PER_MS) {
        t.rest -= CYCLES_PER_MS;
        t.ms++;
    }
    return t.ms;
}

/* Since the last reading the counter may have gone round more than once. */
void spb_tick_slept(uint32_t cycles) {
    uint32_t now = spb_cortex_count();
    t.rest += cycles + ((t.last - now - cycles) & SPB_CORTEX_COUNTS);
    t.last = now;
    (void)spb_tick_ms();
}
