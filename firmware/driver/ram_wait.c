/* SPDX-License-Identifier: MIT */
/* ram_wait.c - see ram_wait.h.  A core that fetches from a bank that is being erased stands still until it is done, one to
 * four seconds (RM0090 3.6.5, RM0410 3.3.7, RM0399 4.3.11); nobody feeds the watchdog then, and nobody counts the time.
 * A cache that holds the loop would spare it that: no manual promises it, so nothing here counts on one.
 * R1  From the start of the operation to its end nothing is fetched or loaded from flash.  Interrupts are masked meanwhile:
 *     their vectors and handlers stand in flash, and the first one would stop the core.
 * R2  SysTick is only read, by its counter: it may be the application's. */
#include "ram_wait.h"

#include "cache.h"
#include "spb_chip.h"
#include "tick.h"
#include "watchdog.h"

#define SYST_CSR 0xE000E010u
#define KEY_RELOAD 0xAAAAu

/* What the loop needs, in the order of its registers r1 to r7. */
struct wait {
    uint32_t control, value, status, busy, watchdog, key, systick;
};

/* Runs where it is copied to.  Returns the cycles that SysTick counted, whatever it counts from. */
__attribute__((naked, noinline, used)) static void loop(void) {
    __asm volatile(".syntax unified\n"
                   ".balign 4\n"
                   ".global spb_ram_wait_start\n"
                   "spb_ram_wait_start:\n"
                   "push {r4-r9, lr}\n"
                   "ldmia r0, {r1-r7}\n"
                   "ldr r8, [r7, #4]\n"
                   "add r8, r8, #1\n"
                   "ldr r9, [r7, #8]\n"
                   "movs r0, #0\n"
                   "str r2, [r1]\n"
                   "dsb\n" /* a store that still waits in a buffer has not made the controller busy yet */
                   "1: str r6, [r5]\n"
                   "ldr r1, [r7, #8]\n"
                   "subs r2, r9, r1\n"
                   "it mi\n" /* it started again from its reload value */
                   "addmi r2, r2, r8\n"
                   "add r0, r0, r2\n"
                   "mov r9, r1\n"
                   "ldr r1, [r3]\n"
                   "tst r1, r4\n"
                   "bne 1b\n"
                   "pop {r4-r9, pc}\n"
                   ".balign 4\n"
                   ".global spb_ram_wait_end\n"
                   "spb_ram_wait_end:\n");
}
extern const uint32_t spb_ram_wait_start[];
#define LOOP_WORDS 16u

void spb_ram_wait(uint32_t control, uint32_t value, uint32_t status, uint32_t busy) {
    const struct wait wait = {control, value, status, busy, IWDG_BASE + IWDG_KR_OFF, KEY_RELOAD, SYST_CSR};
    uint32_t code[LOOP_WORDS], primask;
    for (uint32_t i = 0; i < LOOP_WORDS; i++) code[i] = ((volatile const uint32_t *)spb_ram_wait_start)[i];
    spb_cache_publish((uint32_t)code, sizeof code);
    uint32_t (*run)(const struct wait *) = (uint32_t (*)(const struct wait *))((uint32_t)code | 1);
    __asm volatile("mrs %0, primask\n cpsid i" : "=r"(primask)::"memory");
    uint32_t cycles = run(&wait);
    __asm volatile("msr primask, %0" ::"r"(primask) : "memory");
    spb_tick_slept(cycles);
}
