/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <stddef.h>

#include "console.h"
#include "ymodem.h"

/* YMODEM's callbacks carry no context: one session at a time. */
static struct spb_engine *engine;
static bool slot0_active;

static enum spb_status begin(uint32_t size) {
    enum spb_status status = spb_engine_abort(engine);
    if (status != SPB_OK) return status;
    return spb_engine_start(engine, size, slot0_active);
}

/* The total is known once the head is in. */
static uint32_t wanted(void) { return engine->total == 0 ? 1 : engine->total - engine->taken; }

static enum spb_status data(const uint8_t *bytes, uint32_t len) { return spb_engine_data(engine, bytes, len); }

/* Where SLOT0 is all there is, an update that was accepted has begun to overwrite it. */
static bool overwritten(void) { return SPB_SINGLE_SLOT && engine->candidate.len != 0; }

/* What was offered and what is here; the numbers are believable only once the signature was good. */
static void show_refusal(const struct spb_line *line) {
    spb_console_log(line, "refused, code %u: %t", (uint32_t)engine->status, spb_text_of(engine->status));
    if (engine->total == 0) return;
    spb_console_log(line, "  the file says: version %v, product %x, board %x, %u bytes, from version %v",
                    SPB_MANIFEST_U32(engine->header, VERSION), SPB_MANIFEST_U32(engine->header, PRODUCT),
                    SPB_MANIFEST_U32(engine->header, TARGET), SPB_MANIFEST_U32(engine->header, IMAGE_SIZE),
                    SPB_MANIFEST_U32(engine->header, BASE_VERSION));
    spb_console_log(line, "  this device: version %v, product %x, board %x, room for %u bytes",
                    slot0_active ? SPB_MANIFEST_U32(spb_area_map(&spb_port.slot0, 0, SPB_HEADER_SIZE), VERSION) : 0u,
                    spb_word(spb_port.personal + SPB_PERSONAL_OFF_PRODUCT), spb_port.target,
                    SPB_SLOT_SIZE - SPB_VECTOR_SIZE);
}

static void show_accepted(const struct spb_line *line) {
    uint32_t pages = 0;
    for (uint32_t i = 0; i < SPB_SLOT_SIZE / SPB_PAGE_SIZE; i++) pages += spb_pages_has(&engine->candidate.pages, i);
    spb_console_log(line, "version %v received, %u bytes, verified, changed pages: %u",
                    SPB_MANIFEST_U32(engine->header, VERSION), engine->total, pages);
}

/* The sender is done; is the update? */
static bool conclude(const struct spb_line *line, enum spb_ymodem_result result) {
    static const uint8_t reasons[] = {
        [SPB_YMODEM_CANCELLED] = TEXT("the sender gave up"),
        [SPB_YMODEM_LINE_ERROR] = TEXT("too many errors on the line"),
        [SPB_YMODEM_NO_BLOCK_0] = TEXT("no block 0: start again, by YMODEM"),
        [SPB_YMODEM_REFUSED] = SPB_TEXT_NONE,
    };
    if (reasons[result] != SPB_TEXT_NONE) {
        spb_console_log(line, "transfer ended: %t", reasons[result]);
        if (spb_engine_abort(engine) != SPB_OK) spb_console_log(line, "%t", spb_text_of(engine->status));
        return false;
    }
    if (result == SPB_YMODEM_DONE && spb_engine_commit(engine) == SPB_OK) {
        show_accepted(line);
        return true;
    }
    if (engine->stage == SPB_STAGE_VERIFIED) engine->status = SPB_E_TOO_MANY_BYTES;     /* a block after its end */
    show_refusal(line);
    return false;
}

enum spb_session_result spb_session(const struct spb_line *line, struct spb_engine *e, uint8_t *block, bool active) {
    const struct spb_ymodem_sink sink = {begin, data, wanted};
    engine = e;
    slot0_active = active;
    for (;;) {
        spb_console_log(line, "loader: send a .sfb%t file by YMODEM",
                        slot0_active && !SPB_SINGLE_SLOT ? TEXT(" or .sfbp") : TEXT(""));
        enum spb_ymodem_result result = spb_ymodem_receive(line, &sink, block, SPB_SESSION_CALLS);
        slot0_active = slot0_active && !overwritten();
        if (result == SPB_YMODEM_NO_SENDER) {
            spb_console_print(line, "\r\n");
            if (slot0_active) return SPB_SESSION_IDLE;
        } else if (conclude(line, result)) {
            return SPB_SESSION_COMMITTED;
        }
    }
}
