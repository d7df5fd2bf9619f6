/* SPDX-License-Identifier: MIT */
/* start.c - from the bootloader's jump to main(): C needs its data, nothing else is set up. */
#include <stdint.h>

#include "cortex.h"

extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[], stack_top[];

void demo_main(void);

__attribute__((noreturn, used)) void reset(void) {
    const uint32_t *from = data_load;
    for (volatile uint32_t *to = data_start; to < data_end;) *to++ = *from++;
    for (volatile uint32_t *to = bss_start; to < bss_end;) *to++ = 0;
    demo_main();
    spb_cortex_reset();
}

static void fault(void) { spb_cortex_reset(); }

struct vectors {
    uint32_t *stack;
    void (*handler[15])(void);
};

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    .stack = stack_top,
    .handler = {reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault},
};
