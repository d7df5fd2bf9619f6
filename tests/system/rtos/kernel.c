/* SPDX-License-Identifier: MIT */
/* kernel.c - tasks and their switch.  Where the core has PSPLIM, it is that of the task that runs, and is saved with its
 * registers, as somebody may have changed it on the way (DDI0553 B3.21). */
#include "kernel.h"

#include <stddef.h>

#define ICSR (*(volatile uint32_t *)0xE000ED04u)
#define ICSR_PENDSVSET (1u << 28)
#define SHPR3 (*(volatile uint32_t *)0xE000ED20u)
#define PENDSV_LOWEST (0xFFu << 16)
#define XPSR_THUMB (1u << 24)
#define PATTERN 0xA5A5A5A5u
#define WATCHED 4u              /* words at the end of a stack that nobody may write */
#define IDLE_WORDS 128u

#ifdef __ARM_ARCH_8M_MAIN__
#define LIMIT_WORDS 1u
#define SAVE_LIMIT "mrs r1, psplim\n subs r0, r0, #4\n str r1, [r0]\n"
#define LOAD_LIMIT "ldmia r0!, {r1}\n msr psplim, r1\n"
#else
#define LIMIT_WORDS 0u
#define SAVE_LIMIT ""
#define LOAD_LIMIT ""
#endif

static struct task *first, *current;
static volatile uint32_t now;
static struct task idle_task;
static uint32_t idle_stack[IDLE_WORDS] __attribute__((aligned(8)));

uint32_t kernel_lock(void) {
    uint32_t was;
    __asm volatile("mrs %0, primask\n cpsid i" : "=r"(was)::"memory");
    return was;
}

void kernel_unlock(uint32_t was) { __asm volatile("msr primask, %0\n isb" ::"r"(was) : "memory"); }

uint32_t kernel_now(void) { return now; }

static void ready(struct task *task) {
    task->blocked = task->timed = task->waits = false;
    ICSR = ICSR_PENDSVSET;
}

/* Under lock; the switch comes when it is given up. */
static void block(uint32_t wake, bool timed, bool waits) {
    current->wake = wake;
    current->timed = timed;
    current->waits = waits;
    current->blocked = true;
    ICSR = ICSR_PENDSVSET;
}

void kernel_sleep_until(uint32_t *at, uint32_t period) {
    uint32_t was = kernel_lock();
    *at += period;
    if ((int32_t)(*at - now) > 0) block(*at, true, false);
    kernel_unlock(was);
}

bool kernel_wait(uint32_t ticks) {
    uint32_t was = kernel_lock();
    if (!current->told && ticks != 0) block(now + ticks, ticks != KERNEL_FOREVER, true);
    kernel_unlock(was);
    was = kernel_lock();
    bool told = current->told;
    current->told = false;
    kernel_unlock(was);
    return told;
}

void kernel_tell(struct task *task) {
    uint32_t was = kernel_lock();
    task->told = true;
    if (task->waits) ready(task);
    kernel_unlock(was);
}

void kernel_tick(uint32_t passed) {
    uint32_t was = kernel_lock();
    now += passed;
    for (struct task *task = first; task != NULL; task = task->next) {
        if (task->timed && (int32_t)(now - task->wake) >= 0) ready(task);
    }
    kernel_unlock(was);
}

static uint32_t until_next(void) {
    uint32_t least = KERNEL_FOREVER;
    for (const struct task *task = first; task != NULL; task = task->next) {
        if (task->timed && task->wake - now < least) least = task->wake - now;
    }
    return least;
}

static struct task *first_ready(void) {
    struct task *task = first;
    while (task->blocked) task = task->next;
    return task;
}

static void idle(void) {
    for (;;) {
        uint32_t was = kernel_lock();
        if (first_ready() == &idle_task) kernel_idle(until_next());
        kernel_unlock(was);
    }
}

/* Both looks that FreeRTOS takes: where the stack pointer is, and whether the end of the stack is untouched. */
static void check_stack(const struct task *task) {
    bool good = task->sp > task->stack;
    for (uint32_t i = 0; i < WATCHED; i++) good = good && task->stack[i] == PATTERN;
    if (!good) kernel_overflow(task);
}

__attribute__((used)) static uint32_t *switched(uint32_t *sp) {
    uint32_t was = kernel_lock();
    current->sp = sp;
    check_stack(current);
    current = first_ready();
    kernel_unlock(was);
    return current->sp;
}

/* The core has saved r0-r3, r12, lr, pc and xPSR on the task's stack.  Written for Cortex-M0+, which has no more. */
__attribute__((naked)) void kernel_switch_tasks(void) {
    __asm volatile(".syntax unified\n"
                   "mrs r0, psp\n"
                   "subs r0, r0, #32\n"
                   "mov r1, r0\n"
                   "stmia r1!, {r4-r7}\n"
                   "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
                   "stmia r1!, {r4-r7}\n"
                   SAVE_LIMIT
                   "push {r3, lr}\n"
                   "bl switched\n"
                   LOAD_LIMIT
                   "mov r1, r0\n"
                   "adds r1, r1, #16\n"
                   "ldmia r1!, {r4-r7}\n"
                   "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
                   "msr psp, r1\n"
                   "ldmia r0!, {r4-r7}\n"
                   "pop {r3, pc}\n");
}

void kernel_task(struct task *task, uint32_t priority, uint32_t *stack, uint32_t words, void (*entry)(void)) {
    for (uint32_t i = 0; i < words; i++) stack[i] = PATTERN;
    uint32_t *frame = stack + words - 16 - LIMIT_WORDS;
    if (LIMIT_WORDS != 0) frame[0] = (uint32_t)stack;
    frame[LIMIT_WORDS + 14] = (uint32_t)entry;
    frame[LIMIT_WORDS + 15] = XPSR_THUMB;
    *task = (struct task){.sp = frame, .stack = stack, .priority = priority};
    struct task **at = &first;
    while (*at != NULL && (*at)->priority >= priority) at = &(*at)->next;
    task->next = *at;
    *at = task;
}

/* Thread mode goes on PSP, on a stack that the first switch leaves for good. */
void kernel_start(void) {
    static struct task start;
    static uint32_t start_stack[64] __attribute__((aligned(8)));
    (void)kernel_lock();
    kernel_task(&idle_task, 0, idle_stack, IDLE_WORDS, idle);
    for (uint32_t i = 0; i < WATCHED; i++) start_stack[i] = PATTERN;
    start = (struct task){.stack = start_stack};
    current = &start;
    SHPR3 |= PENDSV_LOWEST;
    ICSR = ICSR_PENDSVSET;
    __asm volatile("msr psp, %0\n msr control, %1\n isb\n cpsie i\n isb\n 1: b 1b" ::"r"(start_stack + 64), "r"(2));
    __builtin_unreachable();
}
