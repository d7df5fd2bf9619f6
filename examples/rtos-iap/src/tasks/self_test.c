/* SPDX-License-Identifier: MIT */
/* self_test.c - what has to be so before an update is confirmed: everything that the device is for has run, in time. */
#include <stddef.h>

#include "tasks.h"

#define TEST_MS 1000u
#define LATEST_US 1000u                 /* a turn begins within this time */

static bool ran(const volatile struct turns *turns, uint32_t before, uint32_t period) {
    uint32_t runs = turns->runs - before, due = TEST_MS / period;
    return runs + 1u >= due && runs <= due + 1u && turns->late_us < LATEST_US;
}

static bool roomy(const struct task *task) { return kernel_stack_left(task) >= STACK_SPARE; }

const char *self_test(void) {
    uint32_t at = kernel_now(), controls = control_turns.runs, filters = filter_turns.runs;
    kernel_sleep_until(&at, TEST_MS);
    if (!ran(&control_turns, controls, CONTROL_MS)) return "the control task is not in time";
    if (!ran(&filter_turns, filters, FILTER_MS)) return "the filter task is not in time";
    if (filter_wrong() != 0 || !filter_good()) return "the filter calculates something else";
    if (!roomy(&control_task) || !roomy(&filter_task) || !roomy(&update_task)) return "a stack is too small";
    return NULL;
}
