/* SPDX-License-Identifier: MIT */
#include "page.h"

#include <stddef.h>

#include "board.h"
#include "intake.h"
#include "spboot/spboot.h"
#include "spboot_version.h"

static const char *state_words(SE_APP_UpdateState state) {
    switch (state) {
    case SE_APP_UpdateState_PENDING: return "installed at the next reset";
    case SE_APP_UpdateState_TRIAL: return "on trial";
    case SE_APP_UpdateState_INSTALLED: return "installed for good";
    case SE_APP_UpdateState_REVERTED: return "given up";
    default: return "none";
    }
}

static void member(struct text *body, const char *name, const char *words) {
    text_add(body, ",\"");
    text_add(body, name);
    text_add(body, "\":\"");
    text_quoted(body, words);
    text_add(body, "\"");
}

static void count(struct text *body, const char *name, uint32_t number) {
    text_add(body, ",\"");
    text_add(body, name);
    text_add(body, "\":");
    text_number(body, number);
}

void page_status(struct text *body) {
    SE_StatusTypeDef se;
    SE_APP_UpdateInfo last = {.state = SE_APP_UpdateState_NONE};
    char boot[16] = "";
    struct intake now = intake_now();
    (void)SE_APP_GetUpdateInfo(&se, &last);
    (void)SE_APP_GetBootVer(&se, boot, sizeof boot);
    text_add(body, "{\"board\":\"" BOARD_NAME "\"");
    member(body, "version", SPBOOT_VERSION);
    member(body, "bootloader", boot);
    member(body, "last", state_words(last.state));
    if (last.why != SE_PATCH_StatusCode_NONE) member(body, "why", SE_PATCH_GetStatusCodeString(last.why));
    if (now.words != NULL) member(body, "refused", now.words);
    text_add(body, now.busy ? ",\"busy\":true" : ",\"busy\":false");
    count(body, "taken", now.taken);
    count(body, "total", now.total);
    text_add(body, "}\n");
}
