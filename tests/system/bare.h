/* SPDX-License-Identifier: MIT */
/* bare.h - how an application of a test starts: the bootloader has jumped to it, and nothing is set up.  It defines reset(),
 * which begins with bare_start() or bare_memory(), and its vector table, a VECTORS. */
#ifndef BARE_H
#define BARE_H

#include <stdint.h>

#include "clock.h"
#include "gpio.h"
#include "usart.h"

extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[], stack_top[];

/* What C needs. */
static inline void bare_memory(void) {
    const uint32_t *from = data_load;
    for (volatile uint32_t *to = data_start; to < data_end;) *to++ = *from++;
    for (volatile uint32_t *to = bss_start; to < bss_end;) *to++ = 0;
}

/* That, clock and console. */
static inline void bare_start(void) {
    bare_memory();
    spb_clock_start();
    spb_gpio_console();
    spb_usart_start(spb_clock_console_hz());
}

/* Stays here, to be seen. */
static void fault(void) {
    for (;;) {}
}

/* So many interrupts; 0: exceptions alone. */
#define VECTORS(interrupts) \
    __attribute__((section(".vectors"), used)) static const struct { \
        uint32_t *stack; \
        void (*handler[15 + (interrupts)])(void); \
    } vectors

#endif
