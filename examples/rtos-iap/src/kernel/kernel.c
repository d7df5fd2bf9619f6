/* SPDX-License-Identifier: MIT */
/* kernel.c - tasks and time; the registers here are those that every Cortex-M has. */
#include "kernel.h"

#include <stddef.h>

#include "core.h"

#define ICSR (*(volatile uint32_t *)0xE000ED04u)
#define ICSR_PENDSVSET (1u << 28)
#define PATTERN 0xA5A5A5A5u
#define WATCHED 4u              /* words at the end of a stack that nobody may write */
#define IDLE_WORDS 128u
#define START_WORDS 64u

static struct task *first, *current;
static volatile uint32_t now;
static uint32_t idle_stack[IDLE_WORDS] __attribute__((aligned(8)));
static struct task idle_task = {.stack = idle_stack, .words = IDLE_WORDS, .name = "idle"};

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

/* Both looks that FreeRTOS takes. */
static void check_stack(const struct task *task) {
    bool good = task->sp > task->stack && task->sp <= task->stack + task->words;
    for (uint32_t i = 0; i < WATCHED; i++) good = good && task->stack[i] == PATTERN;
    if (!good) kernel_overflow(task);
}

uint32_t kernel_stack_left(const struct task *task) {
    uint32_t same = 0;
    while (same < task->words && task->stack[same] == PATTERN) same++;
    return same * (uint32_t)sizeof *task->stack;
}

__attribute__((used)) uint32_t *kernel_switched(uint32_t *sp) {
    uint32_t was = kernel_lock();
    current->sp = sp;
    check_stack(current);
    current = first_ready();
    kernel_unlock(was);
    return current->sp;
}

static void fill(uint32_t *stack, uint32_t words) {
    for (uint32_t i = 0; i < words; i++) stack[i] = PATTERN;
}

void kernel_task(struct task *task, void (*entry)(void)) {
    fill(task->stack, task->words);
    task->sp = core_frame(task->stack, task->words, entry);
    task->blocked = task->timed = task->waits = task->told = false;
    struct task **at = &first;
    while (*at != NULL && (*at)->priority >= task->priority) at = &(*at)->next;
    task->next = *at;
    *at = task;
}

void kernel_start(void) {
    static uint32_t start_stack[START_WORDS] __attribute__((aligned(8)));
    static struct task start = {.stack = start_stack, .words = START_WORDS, .name = "start"};
    (void)kernel_lock();
    kernel_task(&idle_task, idle);
    fill(start_stack, START_WORDS);
    current = &start;
    ICSR = ICSR_PENDSVSET;
    core_start(start_stack + START_WORDS);
}
