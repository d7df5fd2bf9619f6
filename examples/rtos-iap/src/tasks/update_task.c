/* SPDX-License-Identifier: MIT */
/* update_task.c - takes updates by YMODEM (update.c, ymodem.c) whenever no other task has work, and is the only one that uses
 * the console.  The engine runs on its stack, so the stack check sees a stack that it knows while SE_PATCH_Data erases and
 * programs (SE_PATCH_SetStack). */
#include "console.h"
#include "spboot/spboot.h"
#include "tasks.h"
#include "update.h"

/* Beside what the engine needs: YMODEM, this task, and a switch of tasks with the registers of the FPU.  The report and
 * docs/rtos.md say how much of it is never used. */
#define OWN_BYTES 480u
#define WORDS ((SE_PATCH_CALLER_STACK + OWN_BYTES) / 4u)

static uint32_t stack[WORDS] __attribute__((aligned(8)));
struct task update_task = {.stack = stack, .words = WORDS, .name = "update", .priority = 1};

static bool on_trial(void) {
    SE_StatusTypeDef se;
    SE_APP_UpdateInfo last;
    return SE_APP_GetUpdateInfo(&se, &last) == SE_SUCCESS && last.state == SE_APP_UpdateState_TRIAL;
}

/* A version that is on trial and fails goes: the version before comes back at the reset. */
static void test_and_confirm(void) {
    const char *failed = self_test();
    console_text("app: self-test ");
    console_text(failed != 0 ? failed : "good");
    console_text("\r\n");
    if (failed == 0) update_confirm();
    else if (on_trial()) update_reset();
}

static void run(void) {
    (void)SE_PATCH_SetStack(SE_PATCH_Stack_CALLER);
    update_banner();
    console_text("app: s shows how tasks, stacks and Stop are doing\r\n");
    test_and_confirm();
    for (;;) {
        int key = console_get(KERNEL_FOREVER);
        if (key == 'u') update_run();
        if (key == 'r') update_reset();
        if (key == 's') report();
    }
}

void update_add(void) { kernel_task(&update_task, run); }
