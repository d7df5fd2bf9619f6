/* SPDX-License-Identifier: MIT */
/* port_m4.c - Cortex-M4 with FPU: PendSV switches tasks, SysTick is the time base (PM0214 2.3.7, 4.5).
 * Interrupts stack the FPU's s0-s15 when somebody uses them (lazily, FPCCR as a reset has it), so a switch only saves
 * s16-s31, and only for a task that has used the FPU: EXC_RETURN, which is saved for each task, says so in bit 4. */
#include "core.h"

#include "kernel.h"

#define SYST_CSR (*(volatile uint32_t *)0xE000E010u)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014u)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018u)
#define SYST_RUNS 7u                    /* by the clock of the core, with its interrupt */
#define SHPR3 (*(volatile uint32_t *)0xE000ED20u)
#define LOWEST (0xFFFFu << 16)          /* PendSV and SysTick */
#define XPSR_THUMB (1u << 24)
#define TO_TASK 0xFFFFFFFDu             /* EXC_RETURN: thread mode, PSP, no registers of the FPU */
#define SAVED 9u                        /* r4-r11 and EXC_RETURN */
#define STACKED 8u                      /* r0-r3, r12, lr, pc, xPSR */

void PendSV_Handler(void);
void SysTick_Handler(void);

__attribute__((naked)) void PendSV_Handler(void) {
    __asm volatile(".syntax unified\n"
                   "mrs r0, psp\n"
                   "tst lr, #0x10\n"
                   "it eq\n"
                   "vstmdbeq r0!, {s16-s31}\n"
                   "stmdb r0!, {r4-r11, lr}\n"
                   "bl kernel_switched\n"
                   "ldmia r0!, {r4-r11, lr}\n"
                   "tst lr, #0x10\n"
                   "it eq\n"
                   "vldmiaeq r0!, {s16-s31}\n"
                   "msr psp, r0\n"
                   "bx lr\n");
}

void SysTick_Handler(void) { kernel_tick(1); }

uint32_t *core_frame(uint32_t *stack, uint32_t words, void (*entry)(void)) {
    uint32_t *frame = stack + words - SAVED - STACKED;
    frame[SAVED - 1] = TO_TASK;
    frame[SAVED + 6] = (uint32_t)entry & ~1u;
    frame[SAVED + 7] = XPSR_THUMB;
    return frame;
}

/* Writing 2 to CONTROL takes PSP, and forgets that somebody used the FPU. */
void core_start(uint32_t *top) {
    SHPR3 |= LOWEST;
    SYST_RVR = kernel_clock_hz / 1000u - 1u;
    SYST_CVR = 0;
    SYST_CSR = SYST_RUNS;
    __asm volatile("msr psp, %0\n msr control, %1\n isb\n cpsie i\n isb\n 1: b 1b" ::"r"(top), "r"(2));
    __builtin_unreachable();
}
