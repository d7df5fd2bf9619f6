/* SPDX-License-Identifier: MIT */
/* gates.c - the clocks of the ports and the console: the same dance in every RCC, with bits from the part's facts. */
#include "clock.h"
#include "reg.h"
#include "spb_chip.h"

void spb_clock_enable(void) {
    reg_set(RCC_BASE + SPB_PORTS_ENABLE_OFF, SPB_PORTS_ENABLE);
    reg_set(RCC_BASE + SPB_CONSOLE_ENABLE_OFF, SPB_CONSOLE_ENABLE);
    (void)reg_read(RCC_BASE + SPB_CONSOLE_ENABLE_OFF); /* two cycles until the clock runs, RM0351 6.2.19 */
}

void spb_clock_disable(void) {
    reg_pulse(RCC_BASE + SPB_PORTS_RESET_OFF, SPB_PORTS_RESET);
    reg_clear(RCC_BASE + SPB_PORTS_ENABLE_OFF, SPB_PORTS_ENABLE);
}
