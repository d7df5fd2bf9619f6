/* SPDX-License-Identifier: MIT */
#include "session.h"

#include "console.h"
#include "rotation.h"
#include "sources.h"
#include "trial.h"

/* The consumer has no context: one session at a time. */
static bool slot0_active;

enum spb_status spb_source_begin(uint32_t size) {
    struct spb_engine *e = spb_engine();
    enum spb_status status = spb_engine_abort(e);
    if (status != SPB_OK) return status;
    return spb_engine_start(e, size, slot0_active);
}

/* The total is known once the head is in. */
uint32_t spb_source_wanted(void) {
    const struct spb_engine *e = spb_engine();
    return e->total == 0 ? 1 : e->total - e->taken;
}

enum spb_status spb_source_data(const uint8_t *bytes, uint32_t len) { return spb_engine_data(spb_engine(), bytes, len); }

/* Where SLOT0 is all there is, an update that was accepted has begun to overwrite it. */
static bool overwritten(void) { return SPB_SINGLE_SLOT && spb_engine()->candidate.len != 0; }

/* What was offered and what is here; the numbers are believable only once the signature was good. */
static void show_refusal(const struct spb_engine *e) {
    spb_console_log("refused, code %u: %t", (uint32_t)e->status, spb_text_of(e->status));
    if (e->total == 0) return;
    spb_console_log("  the file: version %v, product %x, board %x, %u bytes, from version %v",
                    SPB_MANIFEST_U32(e->header, VERSION), SPB_MANIFEST_U32(e->header, PRODUCT),
                    SPB_MANIFEST_U32(e->header, TARGET), SPB_MANIFEST_U32(e->header, IMAGE_SIZE),
                    SPB_MANIFEST_U32(e->header, BASE_VERSION));
    spb_console_log("  this device: version %v, product %x, board %x, room for %u bytes",
                    slot0_active ? SPB_MANIFEST_U32(spb_area_start(&spb_slot0), VERSION) : 0u,
                    spb_word(spb_port.personal + SPB_PERSONAL_OFF_PRODUCT), spb_port.target,
                    SPB_SLOT_SIZE - SPB_VECTOR_SIZE);
}

static void show_accepted(const struct spb_engine *e) {
#if SPB_KEYS_RECORDS    /* words of a branch that is not taken would stand in the table all the same */
    if (spb_rotation(e)) {
        spb_console_log("key %u received, verified", spb_keys_index());
        return;
    }
#endif
    spb_console_log("version %v received, %u bytes, verified, changed pages: %u, room for a trial: %u",
                    SPB_MANIFEST_U32(e->header, VERSION), e->total, e->candidate.pages.count, SPB_TRIAL_ROOM);
}

/* The sender is done; is the update? */
static bool conclude(enum spb_source_end end) {
    struct spb_engine *e = spb_engine();
    if (spb_source_has_reason(end)) {
        spb_console_log("transfer ended: %t", end);
        if (spb_engine_abort(e) != SPB_OK) spb_console_put_line(spb_text_of(e->status));
        return false;
    }
    if (end == SPB_SOURCE_DONE && spb_engine_commit(e) == SPB_OK) {
        show_accepted(e);
        return true;
    }
    if (e->stage == SPB_STAGE_VERIFIED) e->status = SPB_E_TOO_MANY_BYTES;     /* a block after its end */
    show_refusal(e);
    return false;
}

#if SPB_STICK
#define WAYS "by YMODEM, or plug in a USB stick"
#else
#define WAYS "by YMODEM"
#endif

static enum spb_session_result serve(void) {
    for (;;) {
        spb_console_log("loader: send a .sfb%t file " WAYS,
                        slot0_active && !SPB_SINGLE_SLOT ? TEXT(" or .sfbp") : TEXT(""));
        enum spb_source_end end = spb_sources_receive(slot0_active);
        slot0_active = slot0_active && !overwritten();
        if (end == SPB_SOURCE_NONE) {
            spb_console_print("\r\n");
            if (slot0_active) return SPB_SESSION_IDLE;
        } else if (conclude(end)) {
            return SPB_SESSION_COMMITTED;
        }
    }
}

enum spb_session_result spb_session(bool active) {
    slot0_active = active;
    spb_sources_start();
    enum spb_session_result result = serve();
    spb_sources_stop();
    return result;
}

#if SPB_STICK
bool spb_session_look(uint32_t wait_ms) {
    bool committed = false;
    enum spb_source_end end;
    slot0_active = true;
    spb_sources_start();
    while (!committed && (end = spb_sources_look(wait_ms, true)) != SPB_SOURCE_NONE) committed = conclude(end);
    spb_sources_stop();
    return committed;
}
#endif
