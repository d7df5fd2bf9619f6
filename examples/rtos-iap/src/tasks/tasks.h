/* SPDX-License-Identifier: MIT */
/* tasks.h - who runs: control (3) every 5 ms, filter (2) every 20 ms, update (1) whenever nobody else has work. */
#ifndef TASKS_H
#define TASKS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel.h"

#define CONTROL_MS 5u
#define FILTER_MS 20u
#define STACK_SPARE 64u         /* bytes that no task may ever come near: the self-test looks */

/* Of a periodic task: how often it ran, and how late it began at most, in microseconds. */
struct turns {
    uint32_t runs, late_us;
};

extern struct task control_task, filter_task, update_task;
extern volatile struct turns control_turns, filter_turns;

/* Add a task, which is control_task and so on. */
void control_add(void);
void filter_add(void);
void update_add(void);

/* Wait for the next turn; at is the time of the last one, as in kernel_sleep_until. */
void turns_next(volatile struct turns *turns, uint32_t *at, uint32_t period);

/* Blocks of samples that came out differently when they were filtered again: registers of the FPU got lost. */
uint32_t filter_wrong(void);

/* Whether the last block has the level that it should have. */
bool filter_good(void);

/* NULL, or what is wrong, after a second in which everything ran. */
const char *self_test(void);

/* A table of how tasks, stacks and Stop are doing, on the console. */
void report(void);

#endif
