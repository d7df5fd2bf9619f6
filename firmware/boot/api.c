/* SPDX-License-Identifier: MIT */
/* api.c - the public functions (spboot.h) over the one engine, and the fixed places through which they are reached.
 * B1  The engine runs on the reserved stack, or on its caller's if that was asked for, once at a time: whoever comes
 *     second gets BUSY and changes nothing.
 * B2  A call from an interrupt handler is refused: it could have interrupted the engine itself.
 * B3  External flash that the application has not mapped is started for a call, and stopped behind it; on a Cortex-M7 where
 *     its MPU is off. */
#include <string.h>

#include "console.h"
#include "context.h"
#include "cortex.h"
#include "device.h"
#if SPB_MEMORIES > 1
#include "external_flash.h"
#endif
#include "note.h"
#include "sentence.h"
#include "spboot/spboot.h"
#include "trial.h"
#include "usart.h"
#include "watchdog.h"

struct spb_engine spb_device_engine;
extern char spb_ram_start[];

static volatile uint32_t claimed;
static uint16_t reboot_delay;
static bool on_callers_stack;

_Static_assert((int)SE_PATCH_StatusCode__MAX__ == SPB_STATUS_COUNT, "spboot.h and [status] of the spec list the same");

/* [status] of the spec begins the list of sentences; a number it does not have says nothing. */
static enum spb_text sentence_of(SE_PATCH_StatusCode code) {
    return (uint32_t)code < SPB_STATUS_COUNT ? (enum spb_text)code : TEXT("");
}

/* At the far end of the reserved stack, where no call gets to: it stays until the next sentence or the next reset. */
const char *SE_PATCH_GetStatusCodeString(SE_PATCH_StatusCode code) {
    struct spb_sentence sentence;
    char *text = spb_ram_start, *to = text;
    spb_sentence_open(&sentence, sentence_of(code));
    do *to = spb_sentence_next(&sentence);
    while (*to++ != '\0');
    return text;
}

_Static_assert((int)SE_PATCH_Stage_IDLE == SPB_STAGE_IDLE && (int)SE_PATCH_Stage_UPDATE == SPB_STAGE_UPDATE &&
                   (int)SE_PATCH_Stage_VERIFIED == SPB_STAGE_VERIFIED,
               "spboot.h and engine.h number the stages alike");

static SE_ErrorStatus answer(SE_PATCH_Status *out, enum spb_status status) {
    out->error = status != SPB_OK;
    out->completed = status == SPB_OK;
    out->code = status == SPB_OK ? SE_PATCH_StatusCode_COMPLETED : (SE_PATCH_StatusCode)status;
    out->stage = (SE_PATCH_Stage)spb_engine()->stage;
    out->accumBytes = spb_engine()->taken;
    out->totalBytes = spb_engine()->total;
    return status == SPB_OK ? SE_SUCCESS : SE_ERROR;
}

void SE_PATCH_InitStatus(SE_PATCH_Status *status) {
    if (status != NULL) *status = (SE_PATCH_Status){.code = SE_PATCH_StatusCode_NONE};
}

SE_ErrorStatus SE_PATCH_Poll(SE_PATCH_Status *status) {
    if (status == NULL) return SE_ERROR;
    (void)answer(status, spb_engine()->status);
    status->completed = status->stage == SE_PATCH_Stage_VERIFIED;
    if (status->stage != SE_PATCH_Stage_VERIFIED && !status->error) status->code = SE_PATCH_StatusCode_NONE;
    return SE_SUCCESS;
}

/* What runs on the engine's stack. */
static uint32_t start(uint32_t total_len, uint32_t b) {
    (void)b;
    if (spb_trial_runs(&spb_last)) return (uint32_t)SPB_E_NOT_CONFIRMED;
    return (uint32_t)spb_engine_start(spb_engine(), total_len, true);
}

static uint32_t commit(uint32_t a, uint32_t b) {
    (void)a;
    (void)b;
    return (uint32_t)spb_engine_commit(spb_engine());
}

static uint32_t take(uint32_t data, uint32_t len) {
    enum spb_status status = spb_engine_data(spb_engine(), (const uint8_t *)data, len);
    bool done = status == SPB_OK && spb_engine()->stage == SPB_STAGE_VERIFIED;
    if (done && reboot_delay != SE_PATCH_RebootDelay_COMMAND) status = spb_engine_commit(spb_engine());
    if (done && status == SPB_OK && reboot_delay == SE_PATCH_RebootDelay_IMMEDIATE) spb_cortex_reset();
    return (uint32_t)status;
}

static uint32_t drop(uint32_t a, uint32_t b) {
    (void)a;
    (void)b;
    return (uint32_t)spb_engine_abort(spb_engine());
}

static enum spb_status stacked(uint32_t (*work)(uint32_t, uint32_t), uint32_t a, uint32_t b) {
    return (enum spb_status)(on_callers_stack ? work(a, b) : spb_context_call(a, b, work));
}

/* B3 */
static enum spb_status run_outside(uint32_t (*work)(uint32_t, uint32_t), uint32_t a, uint32_t b) {
#if SPB_MEMORIES > 1
    bool ours = spb_external_unused();
    enum spb_status status = SPB_E_FLASH_ERROR;
    if (!ours || spb_external_start() == SPB_TEXT_NONE) status = stacked(work, a, b);
    if (ours) spb_external_stop();
    return status;
#else
    return stacked(work, a, b);
#endif
}

/* B1, B2 */
static enum spb_status alone(uint32_t (*work)(uint32_t, uint32_t), uint32_t a, uint32_t b) {
    if (!spb_context_thread()) return SPB_E_INVALID_STATE;
    if (!spb_context_claim(&claimed)) return SPB_E_BUSY;
    enum spb_status result = run_outside(work, a, b);
    claimed = 0;
    return result;
}

static SE_ErrorStatus run(SE_PATCH_Status *status, uint32_t (*work)(uint32_t, uint32_t), uint32_t a, uint32_t b) {
    return status == NULL ? SE_ERROR : answer(status, alone(work, a, b));
}

SE_ErrorStatus SE_PATCH_Init(SE_PATCH_Status *status, const SE_PATCH_StartInfo *info) {
    if (status == NULL) return SE_ERROR;
    if (info == NULL || (info->type != SE_PATCH_ImageType_NONE && info->type != SE_PATCH_ImageType_APP)) {
        return answer(status, SPB_E_INVALID_ARG);
    }
    if (SPB_SINGLE_SLOT) return answer(status, SPB_E_SINGLE_SLOT);
    if (spb_watchdog_window()) return answer(status, SPB_E_WATCHDOG_WINDOW);
    uint16_t delay = info->rebootDelay;
    if (delay != SE_PATCH_RebootDelay_IMMEDIATE && delay != SE_PATCH_RebootDelay_NEXT &&
        delay != SE_PATCH_RebootDelay_COMMAND) {
        return answer(status, SPB_E_INVALID_ARG);
    }
    SE_ErrorStatus ok = run(status, start, info->totalLength, 0);
    if (ok == SE_SUCCESS) reboot_delay = delay;
    return ok;
}

SE_ErrorStatus SE_PATCH_Data(SE_PATCH_Status *status, const uint8_t *data, uint32_t len) {
    if (status == NULL) return SE_ERROR;
    if (data == NULL && len > 0) return answer(status, SPB_E_INVALID_ARG);
    return run(status, take, (uint32_t)data, len);
}

SE_ErrorStatus SE_PATCH_InstallAtNextReset(SE_PATCH_Status *status) { return run(status, commit, 0, 0); }

SE_ErrorStatus SE_PATCH_Abort(SE_PATCH_Status *status) { return run(status, drop, 0, 0); }

SE_ErrorStatus SE_PATCH_SetStack(SE_PATCH_Stack stack) {
    if ((uint32_t)stack > SE_PATCH_Stack_CALLER) return SE_ERROR;
    on_callers_stack = stack == SE_PATCH_Stack_CALLER;
    return SE_SUCCESS;
}

void SE_PATCH_PrintStatus(const SE_PATCH_Status *status) {
    static const uint8_t stages[] = {TEXT("idle"), TEXT("update"), TEXT("verified")};
    if (status == NULL || (uint32_t)status->stage > SE_PATCH_Stage_VERIFIED || !spb_usart_running()) return;
    spb_line_borrow();
    spb_console_print("patch: stage %t, %u of %u bytes, code %u: %t\r\n", stages[status->stage],
                      status->accumBytes, status->totalBytes, (uint32_t)status->code,
                      sentence_of(status->code));
}

SE_ErrorStatus SE_APP_GetActiveFwInfo(SE_StatusTypeDef *status, SE_APP_ActiveFwInfo *info) {
    if (status == NULL) return SE_ERROR;
    *status = SE_KO;
    if (info == NULL) return SE_ERROR;
    const uint8_t *header = spb_area_start(&spb_slot0);
    info->ActiveFwVersion = SPB_MANIFEST_U32(header, VERSION);
    info->ActiveFwSize = SPB_MANIFEST_U32(header, IMAGE_SIZE);
    memcpy(info->ActiveFwTag, header + SPB_MANIFEST_OFF_IMAGE_HASH, SE_TAG_LEN);
    *status = SE_OK;
    return SE_SUCCESS;
}

SE_ErrorStatus SE_APP_GetBootVer(SE_StatusTypeDef *status, char *text, uint32_t size) {
    static const char version[] = SPB_BOOT_VERSION_TEXT;
    if (status == NULL) return SE_ERROR;
    *status = SE_KO;
    if (text == NULL || size == 0) return SE_ERROR;
    uint32_t len = sizeof version - 1 < size - 1 ? sizeof version - 1 : size - 1;
    memcpy(text, version, len);
    text[len] = '\0';
    *status = SE_OK;
    return SE_SUCCESS;
}

SE_ErrorStatus SE_APP_GetSecureUserData(SE_StatusTypeDef *status, void *data, uint32_t len) {
    if (status == NULL) return SE_ERROR;
    *status = SE_KO;
    if (data == NULL || len > SPB_PERSONAL_SIZEOF_USER_DATA) return SE_ERROR;
    memcpy(data, spb_port.personal + SPB_PERSONAL_OFF_USER_DATA, len);
    *status = SE_OK;
    return SE_SUCCESS;
}

__attribute__((noinline)) static SE_ErrorStatus ask(SE_StatusTypeDef *status, uint32_t (*work)(uint32_t, uint32_t), void *answer) {
    if (status == NULL) return SE_ERROR;
    *status = SE_KO;
    if (answer == NULL || alone(work, (uint32_t)answer, 0) != SPB_OK) return SE_ERROR;
    *status = SE_OK;
    return SE_SUCCESS;
}

static uint32_t confirm(uint32_t a, uint32_t b) {
    (void)a;
    (void)b;
    return (uint32_t)spb_trial_confirm();
}

SE_ErrorStatus SE_APP_ConfirmActiveFw(SE_StatusTypeDef *status) { return ask(status, confirm, status); }

#define END_OF(state) (SPB_JOURNAL_STEP_##state >> 8 & 15u)
_Static_assert(SE_APP_UpdateState_PENDING == 1 && END_OF(TRIED) == (int)SE_APP_UpdateState_TRIAL && END_OF(FINISHED) == (int)SE_APP_UpdateState_INSTALLED &&
                   END_OF(REVERTED) == (int)SE_APP_UpdateState_REVERTED,
               "a step at the end is a state, and a mark is one");

static uint32_t look(uint32_t to, uint32_t b) {
    SE_APP_UpdateInfo *info = (SE_APP_UpdateInfo *)to;
    uint32_t end = spb_last.last[SPB_JOURNAL_OF_END];
    (void)b;
    info->state = (SE_APP_UpdateState)(end != 0 ? end >> 8 & 15u : spb_last.marked);
    info->why = (SE_PATCH_StatusCode)((end >= SPB_JOURNAL_STEP_REVERTED ? end : spb_last.last[SPB_JOURNAL_OF_FAILURE]) & 0xFFu);
    info->version = spb_last.marked ? spb_last.version : 0;
    return 0;
}

SE_ErrorStatus SE_APP_GetUpdateInfo(SE_StatusTypeDef *status, SE_APP_UpdateInfo *info) { return ask(status, look, info); }

_Static_assert(SPB_NOTE_OF(SE_APP_Request_NONE) == SPB_NOTE_NONE && SPB_NOTE_OF(SE_APP_Request_LOADER) == SPB_NOTE_LOADER &&
                   SPB_NOTE_OF(SE_APP_Request_NO_WINDOW) == SPB_NOTE_HURRY,
               "a request is the kind of its note");

SE_ErrorStatus SE_APP_RequestAtReset(SE_StatusTypeDef *status, SE_APP_Request request) {
    if (status == NULL) return SE_ERROR;
    *status = SE_KO;
    if ((uint32_t)request > SE_APP_Request_NO_WINDOW) return SE_ERROR;
    spb_note_write(SPB_NOTE_OF(request));
    *status = SE_OK;
    return SE_SUCCESS;
}
