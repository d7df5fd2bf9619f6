/* SPDX-License-Identifier: MIT */
#include "context.h"

#include "spb_chip.h"

/* From the first write on there is no stack: registers only. */
__attribute__((naked, noreturn)) void spb_context_jump(uint32_t vectors __attribute__((unused))) {
    __asm volatile(".syntax unified\n"
                   "ldr r1, =spb_ram_start\n"
                   "ldr r2, =spb_last_update\n"
                   "movs r3, #0\n"
                   "1: stmia r1!, {r3}\n"
                   "cmp r1, r2\n"
                   "blo 1b\n"
                   "str r3, [r1, #" SPB_LAST_SIZE "]\n"       /* the note */
                   "ldr r1, =0xE000ED08\n" /* VTOR */
                   "str r0, [r1]\n"
                   "dsb\n"
                   "isb\n"
                   "ldr r1, [r0]\n"
                   "ldr r0, [r0, #4]\n"
                   "msr msp, r1\n"
                   "bx r0\n"
                   ".ltorg\n");
}

/* Unprivileged, the engine would run on the stack of its caller: a write to CONTROL is ignored (DDI0403 B1.4.4). */
bool spb_context_thread(void) {
    uint32_t ipsr, control;
    __asm volatile("mrs %0, ipsr\n mrs %1, control" : "=r"(ipsr), "=r"(control));
    return ipsr == 0 && (control & 1) == 0;
}

bool spb_context_claim(volatile uint32_t *flag) {
    uint32_t primask;
    __asm volatile("mrs %0, primask\n cpsid i" : "=r"(primask)::"memory");
    bool free = *flag == 0;
    *flag = 1;
    __asm volatile("msr primask, %0" ::"r"(primask) : "memory");
    return free;
}

/* r4 = SP to come back to, r5 = PSP to put back, r6 = CONTROL to put back. */
__attribute__((naked, noinline)) static uint32_t call_on_our_stack(uint32_t a __attribute__((unused)),
                                                                   uint32_t b __attribute__((unused)),
                                                                   uint32_t (*function)(uint32_t, uint32_t)
                                                                   __attribute__((unused))) {
    __asm volatile(".syntax unified\n"
                   "push {r4-r7, lr}\n"
                   "mov r4, sp\n"
                   "mrs r5, psp\n"
                   "mrs r6, control\n"
                   "ldr r7, =spb_stack_top\n"
                   "msr psp, r7\n"              /* is SP itself where CONTROL.SPSEL is set */
                   "movs r7, #2\n"
                   "orrs r7, r7, r6\n"
                   "msr control, r7\n"
                   "isb\n"
                   "blx r2\n"
                   "msr control, r6\n"
                   "isb\n"
                   "msr psp, r5\n"
                   "mov sp, r4\n"
                   "pop {r4-r7, pc}\n"
                   ".ltorg\n");
}

/* An RTOS on ARMv8-M sets PSPLIM to the end of a task's stack: our stack, lowest in RAM, is below it (DDI0553, PSPLIM). */
uint32_t spb_context_call(uint32_t a, uint32_t b, uint32_t (*function)(uint32_t, uint32_t)) {
    uint32_t limit = 0;
    if (SPB_STACK_LIMITS) __asm volatile("mrs %0, psplim\n msr psplim, %1" : "=&r"(limit) : "r"(0) : "memory");
    uint32_t result = call_on_our_stack(a, b, function);
    if (SPB_STACK_LIMITS) __asm volatile("msr psplim, %0" ::"r"(limit) : "memory");
    return result;
}
