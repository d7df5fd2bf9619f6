/* SPDX-License-Identifier: MIT */
#include "intake.h"

#include <stddef.h>

#include "console.h"
#include "spboot/spboot.h"
#include "text.h"

#define WORDS 96u

static SE_PATCH_Status status;
static bool busy, refused, installs;
static char reason[WORDS];

static void keep(const char *words) {
    struct text text = text_in(reason, sizeof reason);
    text_add(&text, words);
    console_text("app: update not taken: ");
    console_text(reason);
    console_text("\r\n");
}

static void refuse(SE_PATCH_StatusCode code) {
    refused = true;
    keep(SE_PATCH_GetStatusCodeString(code));
    (void)SE_PATCH_Abort(&status);
}

bool intake_begin(uint32_t size) {
    const SE_PATCH_StartInfo info = {
        .type = SE_PATCH_ImageType_APP, .rebootDelay = SE_PATCH_RebootDelay_COMMAND, .totalLength = size};
    if (busy) return false;
    SE_PATCH_InitStatus(&status);
    (void)SE_PATCH_Abort(&status);
    busy = true;
    refused = installs = false;
    reason[0] = '\0';
    console_text("app: an update comes\r\n");
    if (SE_PATCH_Init(&status, &info) != SE_SUCCESS) refuse(status.code);
    return !refused;
}

bool intake_data(const uint8_t *bytes, uint32_t len) {
    if (!busy || refused) return false;
    if (SE_PATCH_Data(&status, bytes, len) != SE_SUCCESS) refuse(status.code);
    return !refused;
}

bool intake_end(void) {
    if (!busy) return false;
    if (!refused && SE_PATCH_InstallAtNextReset(&status) != SE_SUCCESS) refuse(status.code);       /* as when it ended early */
    busy = false;
    installs = !refused;
    return installs;
}

void intake_give_up(const char *words) {
    if (!busy) return;
    if (!refused) keep(words);
    (void)SE_PATCH_Abort(&status);
    refused = true;
    busy = false;
}

struct intake intake_now(void) {
    return (struct intake){.busy = busy, .installs = installs, .taken = status.accumBytes, .total = status.totalBytes,
                           .words = reason[0] != '\0' ? reason : NULL};
}
