/* SPDX-License-Identifier: MIT */
/* kernel.h - a small preemptive kernel in ten calls: the ready task of the highest priority runs.
 * docs/rtos.md of spboot says what each call is called in FreeRTOS, ThreadX and Zephyr.  Time is counted in ticks of a
 * millisecond.  No heap: whoever adds a task has its memory.  kernel.c knows no core, core.h is what it wants of one.
 *  - Of each task that is switched out two things are looked at: that its stack pointer is inside its stack, and that
 *    nobody wrote the lowest words of that. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stdint.h>

struct task {
    uint32_t *sp;               /* while it does not run: of what it saved */
    uint32_t *stack;            /* its lowest word */
    uint32_t words;             /* of its stack */
    const char *name;
    struct task *next;          /* the list goes from high to low priority */
    uint32_t priority;          /* higher runs first; each has its own, and 0 is taken */
    uint32_t wake;              /* tick at which it is ready again, if it is timed */
    bool blocked, timed, waits, told;
};

#define KERNEL_FOREVER UINT32_MAX

/* 1. Add a task before kernel_start: all but its list is filled in by the caller.  It never returns. */
void kernel_task(struct task *task, void (*entry)(void));

/* 2. Run the tasks added.  Interrupts are on from here. */
__attribute__((noreturn)) void kernel_start(void);

/* 3. Milliseconds since the start; wraps at 2^32. */
uint32_t kernel_now(void);

/* 4. Until a period after *at, a time that has passed; *at then is that: one every period ticks, however long the task
 * takes. */
void kernel_sleep_until(uint32_t *at, uint32_t period);

/* 5. Until kernel_tell is called for this task; false after so many ticks without: less than 2^31, or KERNEL_FOREVER. */
bool kernel_wait(uint32_t ticks);

/* 6. From a task or an interrupt handler: it was called once or often, the task is told once. */
void kernel_tell(struct task *task);

/* 7. So many ticks have passed: from the handler of the time base, or from kernel_idle. */
void kernel_tick(uint32_t passed);

/* 8, 9. No interrupts in between; the first answers what the second takes. */
uint32_t kernel_lock(void);
void kernel_unlock(uint32_t was);

/* 10. Bytes of its stack that a task has never used. */
uint32_t kernel_stack_left(const struct task *task);

/* The program defines these.  kernel_idle: nothing is ready for so many ticks; interrupts are off, and WFI ends all the
 * same.  kernel_overflow: a task that is switched out has left its stack.  kernel_clock_hz: of the core. */
void kernel_idle(uint32_t ticks);
void kernel_overflow(const struct task *task);
extern const uint32_t kernel_clock_hz;

#endif
