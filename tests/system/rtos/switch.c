/* SPDX-License-Identifier: MIT */
/* switch.c - the kernel of examples/rtos-iap on every Cortex-M, without FPU.  Where the core has PSPLIM, it is that of the
 * task that runs, and is saved with its registers, as somebody may have changed it on the way (DDI0553 B3.21). */
#include "core.h"
#include "port.h"

#define SHPR3 (*(volatile uint32_t *)0xE000ED20u)
#define PENDSV_LOWEST (0xFFu << 16)
#define XPSR_THUMB (1u << 24)

#ifdef __ARM_ARCH_8M_MAIN__
#define LIMIT_WORDS 1u
#define SAVE_LIMIT "mrs r1, psplim\n subs r0, r0, #4\n str r1, [r0]\n"
#define LOAD_LIMIT "ldmia r0!, {r1}\n msr psplim, r1\n"
#else
#define LIMIT_WORDS 0u
#define SAVE_LIMIT ""
#define LOAD_LIMIT ""
#endif

/* The core has saved r0-r3, r12, lr, pc and xPSR on the task's stack.  Written for Cortex-M0+, which has no more. */
__attribute__((naked)) void switch_tasks(void) {
    __asm volatile(".syntax unified\n"
                   "mrs r0, psp\n"
                   "subs r0, r0, #32\n"
                   "mov r1, r0\n"
                   "stmia r1!, {r4-r7}\n"
                   "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
                   "stmia r1!, {r4-r7}\n"
                   SAVE_LIMIT
                   "push {r3, lr}\n"
                   "bl kernel_switched\n"
                   LOAD_LIMIT
                   "mov r1, r0\n"
                   "adds r1, r1, #16\n"
                   "ldmia r1!, {r4-r7}\n"
                   "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
                   "msr psp, r1\n"
                   "ldmia r0!, {r4-r7}\n"
                   "pop {r3, pc}\n");
}

uint32_t *core_frame(uint32_t *stack, uint32_t words, void (*entry)(void)) {
    uint32_t *frame = stack + words - 16 - LIMIT_WORDS;
    if (LIMIT_WORDS != 0) frame[0] = (uint32_t)stack;
    frame[LIMIT_WORDS + 14] = (uint32_t)entry;
    frame[LIMIT_WORDS + 15] = XPSR_THUMB;
    return frame;
}

/* Thread mode goes on PSP. */
void core_start(uint32_t *top) {
    SHPR3 |= PENDSV_LOWEST;
    __asm volatile("msr psp, %0\n msr control, %1\n isb\n cpsie i\n isb\n 1: b 1b" ::"r"(top), "r"(2));
    __builtin_unreachable();
}
