/* SPDX-License-Identifier: MIT */
/* main.c - the demo application: says its version, blinks, and updates itself through the bootloader's engine.
 * An own application does the same with bytes from its own link; here they come by YMODEM over the console. */
#include <stddef.h>

#include "clock.h"
#include "console.h"
#include "cortex.h"
#include "demo_version.h"
#include "gpio.h"
#include "spb_chip.h"
#include "spboot/spboot.h"
#include "tick.h"
#include "uart_line.h"
#include "usart.h"
#include "ymodem.h"

#define LOG(...) spb_console_log(__VA_ARGS__)
#define BLINK_MS 250u
#define CALLS 60u

static SE_PATCH_Status status;

static enum spb_status as_status(SE_ErrorStatus result) {
    return result == SE_SUCCESS ? SPB_OK : (enum spb_status)-(int32_t)status.code;
}

enum spb_status spb_source_begin(uint32_t size) {
    const SE_PATCH_StartInfo info = {
        .type = SE_PATCH_ImageType_APP, .rebootDelay = SE_PATCH_RebootDelay_COMMAND, .totalLength = size};
    (void)SE_PATCH_Abort(&status);
    return as_status(SE_PATCH_Init(&status, &info));
}

enum spb_status spb_source_data(const uint8_t *bytes, uint32_t len) { return as_status(SE_PATCH_Data(&status, bytes, len)); }

/* The total is known once the head is in. */
uint32_t spb_source_wanted(void) { return status.totalBytes == 0 ? 1 : status.totalBytes - status.accumBytes; }

static void reset_now(void) {
    spb_line_flush();
    spb_usart_stop();
    spb_cortex_reset();
}

/* The bootloader writes to the UART itself: what is under way leaves first. */
static void print_status(void) {
    spb_line_flush();
    SE_PATCH_PrintStatus(&status);
}

static void update(void) {
    LOG("update: send a .sfb or .sfbp file by YMODEM");
    enum spb_source_end end = spb_ymodem_receive(CALLS);
    if (end == SPB_SOURCE_DONE && SE_PATCH_InstallAtNextReset(&status) == SE_SUCCESS) {
        print_status();
        LOG("update: complete, resetting to install it");
        reset_now();
    }
    if (end == SPB_SOURCE_REFUSED || end == SPB_SOURCE_DONE) print_status();
    if (end == SPB_SOURCE_NONE) end = (enum spb_source_end)TEXT("nobody sent a file");
    if (spb_source_has_reason(end)) LOG("update: not done, %t", end);
    else LOG("update: not done");
    (void)SE_PATCH_Abort(&status);
}

static void banner(void) {
    SE_StatusTypeDef se;
    SE_APP_ActiveFwInfo info;
    char boot[16];
    (void)SE_APP_GetActiveFwInfo(&se, &info);
    (void)SE_APP_GetBootVer(&se, boot, sizeof boot);
    LOG("demo %s on %s, installed as %v, bootloader %s", DEMO_VERSION, SPB_BOARD_NAME, info.ActiveFwVersion, boot);
    LOG("demo: u updates by YMODEM, s shows the state, r resets");
}

/* It is well once it has said who it is; an own application looks at more than that before it keeps itself. */
static void confirm(void) {
    SE_StatusTypeDef se;
    SE_APP_UpdateInfo update;
    if (SE_APP_GetUpdateInfo(&se, &update) != SE_SUCCESS) return;
    if (update.state == SE_APP_UpdateState_REVERTED) {
        LOG("demo: %v was given up: %s", update.version, SE_PATCH_GetStatusCodeString(update.why));
    }
    if (update.state == SE_APP_UpdateState_TRIAL && SE_APP_ConfirmActiveFw(&se) == SE_SUCCESS) LOG("demo: confirmed, this version stays");
}

void demo_main(void) {
    spb_clock_start();
    spb_gpio_console();
    spb_usart_start(spb_clock_console_hz());
    spb_tick_start();
    spb_line_start();
    SPB_LED_START();
    SE_PATCH_InitStatus(&status);
    banner();
    confirm();
    for (;;) {
        int key = spb_line_get(BLINK_MS);
        SPB_LED_WRITE((spb_tick_ms() / BLINK_MS & 1) != 0);
        if (key == 'u') update();
        if (key == 's') {
            (void)SE_PATCH_Poll(&status);
            print_status();
        }
        if (key == 'r') reset_now();
    }
}
