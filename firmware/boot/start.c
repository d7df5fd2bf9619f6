/* SPDX-License-Identifier: MIT */
/* start.c - from reset to main(), and the exceptions. */
#include <stdint.h>

#include "cortex.h"
#include "internal_flash.h"
#include "note.h"

extern uint32_t spb_stack_top[];

void spb_main(void);
void spb_reset(void);

/* No RAM is touched before spb_power_first() has returned.  Then the reserved RAM but for the note is wiped, the stack
 * with it: what an earlier boot found good helps nobody. */
__attribute__((naked, noreturn, used)) void spb_reset(void) {
    __asm volatile(".syntax unified\n"
                   "bl spb_power_first\n"
                   "ldr r0, =spb_ram_start\n"
                   "ldr r1, =spb_note_start\n"
                   "movs r2, #0\n"
                   "1: stmia r0!, {r2}\n"
                   "cmp r0, r1\n"
                   "blo 1b\n"
                   "bl spb_main\n"
                   "udf #0\n"
                   ".ltorg\n");
}

__attribute__((used)) void spb_start_over(uint32_t pc) {
    uint32_t note = spb_note_read(), count = 0;
    if (SPB_NOTE_KIND(note) == SPB_NOTE_FAULT) count = SPB_NOTE_COUNT(note);
    if (count < 15) count++;
    spb_note_write(SPB_NOTE_FAULT | count << 24 | SPB_NOTE_PLACE(pc));
    spb_cortex_reset();
}

/* A fault of ours: nothing is to be trusted any more, the stack pointer neither.  The place is the seventh word of the
 * frame (DDI0403 B1.5.6), if there is one. */
__attribute__((naked)) static void fault(void) {
    __asm volatile(".syntax unified\n"
                   "mrs r1, msp\n"
                   "ldr r2, =spb_stack_top\n"
                   "ldr r3, =spb_ram_start\n"
                   "movs r0, #0\n"
                   "cmp r1, r3\n"
                   "blo 1f\n"
                   "cmp r1, r2\n"
                   "bhs 1f\n"
                   "ldr r0, [r1, #24]\n"
                   "1: msr msp, r2\n"
                   "ldr r1, =spb_start_over\n"
                   "bx r1\n"
                   ".ltorg\n");
}

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
    .handler = {spb_reset, nmi, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault},
};
