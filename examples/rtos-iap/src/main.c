/* SPDX-License-Identifier: MIT */
/* main.c - three tasks under a preemptive kernel: one takes updates, two have to be in time meanwhile. */
#include "board.h"
#include "console.h"
#include "rest.h"
#include "tasks.h"
#include "update.h"
#include "watchdog.h"

int main(void);

/* In the handler that switches tasks.  On trial, the reset brings back the version before. */
void kernel_overflow(const struct task *task) {
    console_text("app: the stack of a task is too small: ");
    console_text(task->name);
    console_text("\r\n");
    update_reset();
}

int main(void) {
    board_start();
    rest_start();
    console_start();
    watchdog_start();
    control_add();
    filter_add();
    update_add();
    kernel_start();
}
