/* SPDX-License-Identifier: MIT */
/* start.c - from reset to main(), and the exceptions. */
#include <stdint.h>

#include "cortex.h"
#include "internal_flash.h"
#include "tick.h"

extern uint32_t spb_bss_start[], spb_bss_end[];
extern uint32_t spb_stack_top[];

void spb_main(void);
void spb_begin(void);
void spb_reset(void);

/* No stack is touched before spb_power_first() has returned. */
__attribute__((naked, noreturn, used)) void spb_reset(void) {
    __asm volatile("bl spb_power_first\n"
                   "bl spb_begin\n");
}

__attribute__((noreturn, used)) void spb_begin(void) {
    for (volatile uint32_t *to = spb_bss_start; to < spb_bss_end;) *to++ = 0;
    spb_main();
    spb_cortex_reset();
}

/* A fault of ours: nothing is to be trusted any more, start again. */
static void fault(void) { spb_cortex_reset(); }

/* The return address is the seventh word of the frame (DDI0403 B1.5.6). */
__attribute__((naked)) static void nmi(void) {
    __asm volatile(".syntax unified\n"
                   "mrs r0, msp\n"
                   "adds r0, #24\n"
                   "ldr r1, =spb_flash_ecc_nmi\n"
                   "bx r1\n"
                   ".ltorg\n");
}

struct vectors {
    uint32_t *stack;
    void (*handler[15])(void);
};

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    .stack = spb_stack_top,
    .handler = {spb_reset, nmi, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, spb_tick_interrupt},
};
