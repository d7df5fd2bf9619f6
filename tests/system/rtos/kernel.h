/* SPDX-License-Identifier: MIT */
/* kernel.h - a small preemptive kernel: the ready task of the highest priority runs; every Cortex-M.
 * Time is counted in ticks of a millisecond by whoever calls kernel_tick. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stdint.h>

struct task {
    uint32_t *sp;               /* while it does not run: of what it saved */
    uint32_t *stack;            /* its lowest word */
    struct task *next;          /* the list goes from high to low priority */
    uint32_t priority;
    uint32_t wake;              /* tick at which it is ready again, if it is timed */
    bool blocked, timed, waits, told;
};

#define KERNEL_FOREVER UINT32_MAX

/* Add a task before kernel_start; it never returns.  The stack is given by its lowest word. */
void kernel_task(struct task *task, uint32_t priority, uint32_t *stack, uint32_t words, void (*entry)(void));

/* Run the tasks added.  Interrupts are on from here. */
__attribute__((noreturn)) void kernel_start(void);

/* Milliseconds since the start; wraps at 2^32. */
uint32_t kernel_now(void);

/* Until *at, which then is the next time: one every period ticks, however long the task takes. */
void kernel_sleep_until(uint32_t *at, uint32_t period);

/* Until kernel_tell is called for this task; false after so many ticks without. */
bool kernel_wait(uint32_t ticks);

/* From a task or an interrupt handler. */
void kernel_tell(struct task *task);

/* So many ticks have passed: from the handler of the time base, or from kernel_idle. */
void kernel_tick(uint32_t passed);

/* No interrupts in between; answers what kernel_unlock takes. */
uint32_t kernel_lock(void);
void kernel_unlock(uint32_t was);

/* Handler of PendSV. */
void kernel_switch_tasks(void);

/* The program defines these.  kernel_idle: nothing is ready for so many ticks; interrupts are off, and WFI ends all the
 * same.  kernel_overflow: a task that is switched out has left its stack. */
void kernel_idle(uint32_t ticks);
void kernel_overflow(const struct task *task);

#endif
