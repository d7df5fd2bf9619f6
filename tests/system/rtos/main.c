/* SPDX-License-Identifier: MIT */
/* main.c - three tasks: two that have to be in time, and one that takes updates by YMODEM whenever nobody else has work. */
#include "board.h"
#include "console.h"
#include "cortex.h"
#include "demo_version.h"
#include "kernel.h"
#include "port.h"
#include "spboot/spboot.h"
#include "ymodem.h"

#define FAST_MS 5u
#define STEADY_MS 20u
#define STEADY_WORK 2000u
#define UPDATE_BYTES (SE_PATCH_CALLER_STACK + 512u)

void rtos_main(void);

/* Of a periodic task: how often it ran, and by how many ticks it was late at most. */
struct punctuality {
    uint32_t runs, late;
};

#define WORDS 96u

static uint32_t fast_stack[WORDS] __attribute__((aligned(8)));
static uint32_t steady_stack[WORDS] __attribute__((aligned(8)));
static uint32_t update_stack[UPDATE_BYTES / 4] __attribute__((aligned(8)));
static struct task fast = {.stack = fast_stack, .words = WORDS, .name = "fast", .priority = 3};
static struct task steady = {.stack = steady_stack, .words = WORDS, .name = "steady", .priority = 2};
static struct task update = {.stack = update_stack, .words = UPDATE_BYTES / 4, .name = "update", .priority = 1};
static struct punctuality fast_record, steady_record;
static volatile uint32_t overflows, work;
static SE_PATCH_Status status;

/* In the handler that switches tasks: a real product stops here. */
void kernel_overflow(const struct task *task) {
    (void)task;
    overflows++;
}

static void next_turn(uint32_t *at, uint32_t period, struct punctuality *record) {
    kernel_sleep_until(at, period);
    uint32_t late = kernel_now() - *at;
    if (late > record->late) record->late = late;
    record->runs++;
}

static void run_fast(void) {
    for (uint32_t at = kernel_now();;) next_turn(&at, FAST_MS, &fast_record);
}

static void run_steady(void) {
    for (uint32_t at = kernel_now();;) {
        next_turn(&at, STEADY_MS, &steady_record);
        for (uint32_t i = 0; i < STEADY_WORK; i++) work += i;
    }
}

static enum spb_status as_status(SE_ErrorStatus result) {
    return result == SE_SUCCESS ? SPB_OK : (enum spb_status)-(int32_t)status.code;
}

enum spb_status spb_source_begin(uint32_t size) {
    const SE_PATCH_StartInfo info = {
        .type = SE_PATCH_ImageType_APP, .rebootDelay = SE_PATCH_RebootDelay_NEXT, .totalLength = size};
    (void)SE_PATCH_Abort(&status);
    return as_status(SE_PATCH_Init(&status, &info));
}

enum spb_status spb_source_data(const uint8_t *bytes, uint32_t len) { return as_status(SE_PATCH_Data(&status, bytes, len)); }

uint32_t spb_source_wanted(void) { return status.totalBytes == 0 ? 1 : status.totalBytes - status.accumBytes; }

static void report(void) {
    struct port_rest rest = port_rest();
    spb_console_print("fast %u runs late %u, steady %u runs late %u, ", fast_record.runs, fast_record.late,
                      steady_record.runs, steady_record.late);
    spb_console_print("%u stops %u ms of %u, %u overflows, ", rest.stops, rest.ms, kernel_now(), overflows);
    spb_console_print("%u bytes of stack free\r\n", kernel_stack_left(&update));
}

static void run_update(void) {
    spb_console_print("rtos %s ready\r\n", DEMO_VERSION);
    SE_PATCH_InitStatus(&status);
    (void)SE_PATCH_SetStack(UPDATE_STACK);
    for (;;) {
        enum spb_source_end end = spb_ymodem_receive(5);
        report();
        if (end == SPB_SOURCE_DONE) break;
    }
    port_flush();
    spb_cortex_reset();
}

void rtos_main(void) {
    kernel_task(&fast, run_fast);
    kernel_task(&steady, run_steady);
    kernel_task(&update, run_update);
    port_start(&update);
    kernel_start();
}
