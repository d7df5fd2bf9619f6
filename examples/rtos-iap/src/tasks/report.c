/* SPDX-License-Identifier: MIT */
#include "console.h"
#include "rest.h"
#include "tasks.h"

static void number(uint32_t value, const char *text) {
    console_number(value);
    console_text(text);
}

static void turns(const char *name, const volatile struct turns *of) {
    console_text(name);
    number(of->runs, " turns, at most ");
    number(of->late_us, " us late, ");
}

void report(void) {
    struct rest rest = rest_so_far();
    turns("control: ", &control_turns);
    number(kernel_stack_left(&control_task), " bytes of stack never used\r\n");
    turns("filter: ", &filter_turns);
    number(filter_wrong(), " wrong, ");
    number(kernel_stack_left(&filter_task), " bytes of stack never used\r\nupdate: ");
    number(kernel_stack_left(&update_task), " bytes of stack never used\r\nStop: ");
    number(rest.stops, " times, ");
    number(rest.ms, " ms of ");
    number(kernel_now(), "\r\n");
}
