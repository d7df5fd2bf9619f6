/* SPDX-License-Identifier: MIT */
/* control.c - the task with the deadline: a controller that has to be there every 5 ms.  Its plant is a number here; the
 * pin BOARD_PROBE changes at each turn, so that an oscilloscope sees how punctual it is, and the LED blinks. */
#include "board.h"
#include "tasks.h"

#define WORDS 96u
#define BLINK_TURNS 100u                /* half a second */
#define MODER REG(BOARD_PROBE_PORT + 0x00u)
#define BSRR REG(BOARD_PROBE_PORT + 0x18u)

static uint32_t stack[WORDS] __attribute__((aligned(8)));
struct task control_task = {.stack = stack, .words = WORDS, .name = "control", .priority = 3};
volatile struct turns control_turns;
static volatile float output;

static void run(void) {
    MODER = (MODER & ~(3u << 2u * BOARD_PROBE)) | 1u << 2u * BOARD_PROBE;
    float level = 0.0f, sum = 0.0f;
    for (uint32_t at = kernel_now();;) {
        turns_next(&control_turns, &at, CONTROL_MS);
        uint32_t turn = control_turns.runs;
        BSRR = turn % 2u != 0 ? 1u << BOARD_PROBE : 1u << (BOARD_PROBE + 16u);
        uint32_t on = turn / BLINK_TURNS % 2u;
        board_led(on);
        float error = (float)on - level;                /* a PI controller on a plant of the first order */
        sum += 0.01f * error;
        level += 0.05f * (0.8f * error + sum - level);
        output = level;
    }
}

void control_add(void) { kernel_task(&control_task, run); }
