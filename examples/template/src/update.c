/* SPDX-License-Identifier: MIT */
#include "update.h"

#include <stdbool.h>
#include <stddef.h>

#include "board.h"
#include "console.h"
#include "spboot/spboot.h"
#include "spboot_version.h"
#include "ymodem.h"

#define CALLS 60u               /* one a second, for somebody to send */
#define AIRCR REG(0xE000ED0Cu)
#define AIRCR_RESET 0x05FA0004u

static SE_PATCH_Status status;

/* The link: here the console; any other has a byte in, a byte out and a clock, too. */
static int get(void *context, uint32_t timeout_ms) {
    (void)context;
    return console_get(timeout_ms);
}

static void put(void *context, uint8_t byte) {
    (void)context;
    console_put(byte);
}

static uint32_t now_ms(void *context) {
    (void)context;
    return console_ms();
}

/* The taker: the engine in the bootloader. */
static bool begin(void *context, uint32_t size) {
    const SE_PATCH_StartInfo info = {
        .type = SE_PATCH_ImageType_APP, .rebootDelay = SE_PATCH_RebootDelay_COMMAND, .totalLength = size};
    (void)context;
    (void)SE_PATCH_Abort(&status);              /* whatever was under way */
    return SE_PATCH_Init(&status, &info) == SE_SUCCESS;
}

static bool data(void *context, const uint8_t *bytes, uint32_t len) {
    (void)context;
    return SE_PATCH_Data(&status, bytes, len) == SE_SUCCESS;
}

/* The total is known once the head of the file is in. */
static uint32_t wanted(void *context) {
    (void)context;
    return status.totalBytes == 0 ? 1 : status.totalBytes - status.accumBytes;
}

static const struct ymodem transfer = {
    .get = get, .put = put, .now_ms = now_ms, .begin = begin, .data = data, .wanted = wanted};

static const char *reason(enum ymodem_end end) {
    switch (end) {
    case YMODEM_NOBODY: return "nobody sent a file";
    case YMODEM_CANCELLED: return "the sender gave up";
    case YMODEM_ERRORS: return "too many errors";
    case YMODEM_OTHER: return "send it by YMODEM";
    default: return SE_PATCH_GetStatusCodeString(status.code);
    }
}

/* `spboot send` knows the lines that begin with "update: ". */
void update_run(void) {
    console_text("update: send a .sfb or .sfbp file by YMODEM\r\n");
    SE_PATCH_InitStatus(&status);
    enum ymodem_end end = ymodem_receive(&transfer, CALLS);
    if (end == YMODEM_DONE && SE_PATCH_InstallAtNextReset(&status) == SE_SUCCESS) {
        console_text("update: complete, resetting to install it\r\n");
        update_reset();
    }
    console_text("update: not done, ");
    console_text(reason(end));
    console_text("\r\n");
    (void)SE_PATCH_Abort(&status);
}

void update_reset(void) {
    console_flush();
    __asm volatile("dsb" ::: "memory");
    AIRCR = AIRCR_RESET;
    for (;;) {}
}

void update_banner(void) {
    SE_StatusTypeDef se;
    SE_APP_ActiveFwInfo info;
    char boot[16];
    (void)SE_APP_GetActiveFwInfo(&se, &info);
    (void)SE_APP_GetBootVer(&se, boot, sizeof boot);
    console_text("app " SPBOOT_VERSION " (" SPBOOT_VERSION_GIT ") on " BOARD_NAME ", installed as ");
    console_number(FW_VERSION_MAJOR(info.ActiveFwVersion));
    console_text(".");
    console_number(FW_VERSION_MINOR(info.ActiveFwVersion));
    console_text(".");
    console_number(FW_VERSION_PATCH(info.ActiveFwVersion));
    console_text(info.ActiveFwVersion == SPBOOT_VERSION_PACKED ? "" : ", which is not what was compiled in");
    console_text(", bootloader ");
    console_text(boot);
    console_text("\r\napp: u updates by YMODEM, r resets\r\n");
}

void update_confirm(void) {
    SE_StatusTypeDef se;
    SE_APP_UpdateInfo last;
    if (SE_APP_GetUpdateInfo(&se, &last) != SE_SUCCESS) return;
    if (last.state == SE_APP_UpdateState_REVERTED) {
        console_text("app: the last update was given up, ");
        console_text(SE_PATCH_GetStatusCodeString(last.why));
        console_text("\r\n");
    }
    if (last.state == SE_APP_UpdateState_TRIAL && SE_APP_ConfirmActiveFw(&se) == SE_SUCCESS) {
        console_text("app: confirmed, this version stays\r\n");
    }
}
