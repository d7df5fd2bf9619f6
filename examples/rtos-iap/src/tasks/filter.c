/* SPDX-License-Identifier: MIT */
/* filter.c - the task with the FPU: a low-pass over a block of samples of a sine, every 20 ms.  It does each block twice
 * and compares; it begins a millisecond in front of a turn of the control task, which uses the FPU, too, and so comes in
 * between.  It feeds the watchdog as long as the control task runs. */
#include "tasks.h"
#include "watchdog.h"

#define WORDS 96u
#define SAMPLES 512u
#define PHASE_MS 4u
#define TWO_COS 1.99037f                /* 2 cos(2 pi / 64): the sine goes round eight times a block */
#define SIN 0.0980171f                  /* sin(2 pi / 64) */
#define LEAST 0.30f                     /* of the mean square behind the filter; 0.5 in front of it */
#define MOST 0.50f

static uint32_t stack[WORDS] __attribute__((aligned(8)));
struct task filter_task = {.stack = stack, .words = WORDS, .name = "filter", .priority = 2};
volatile struct turns filter_turns;
static volatile uint32_t wrong;
static volatile float mean_square;

static float smoothed(float before, float now) { return before + 0.5f * (now - before); }

/* Called by a pointer that may be another one at any time: so filtered() keeps what it goes on with in s16 and further
 * registers, which a switch of tasks has to save. */
static float (*volatile stage)(float before, float now) = smoothed;

/* One block, from rest: a sine by its recurrence, through a low-pass of the second order. */
static float filtered(void) {
    float before = -SIN, now = 0.0f, first = 0.0f, second = 0.0f, squares = 0.0f;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        float next = TWO_COS * now - before;
        before = now;
        now = next;
        first = stage(first, now);
        second = stage(second, first);
        squares += second * second;
    }
    return squares / (float)SAMPLES;
}

static void run(void) {
    uint32_t controls = 0, at = kernel_now();
    kernel_sleep_until(&at, PHASE_MS);
    for (;;) {
        turns_next(&filter_turns, &at, FILTER_MS);
        float once = filtered(), again = filtered();
        if (once != again) wrong++;
        mean_square = again;
        if (control_turns.runs != controls) watchdog_feed();
        controls = control_turns.runs;
    }
}

void filter_add(void) { kernel_task(&filter_task, run); }

uint32_t filter_wrong(void) { return wrong; }

bool filter_good(void) { return mean_square > LEAST && mean_square < MOST; }
