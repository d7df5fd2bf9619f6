/* SPDX-License-Identifier: MIT */
#include "stick.h"

#include <string.h>

#include "console.h"
#include "journal.h"
#include "line.h"
#include "port.h"
#include "session.h"
#include "sources.h"

/* What is said of a file: a status of the engine, or one of these. */
#define FITS TEXT("fits")
#define TRIED TEXT("failed before, passed over")
#define REVERTED TEXT("given up before, passed over: enter the loader to take it")

#define PARTS 20u               /* in which a file's progress is told */
#define NONE UINT32_MAX         /* the size of no file that fits */
#define LIGHT_SECTORS 16u       /* the light blinks fast */

static bool was_tried(const struct spb_stick *s) {
    for (uint32_t i = 0; i < SPB_STICK_TRIES; i++) {   /* 0 is no cluster */
        if (s->tried[i] == s->file.cluster) return true;
    }
    return false;
}

/* K5 */
static bool was_given_up(const struct spb_stick *s, const uint8_t *manifest) {
    return s->unasked && spb_last.last[SPB_JOURNAL_OF_END] >= SPB_JOURNAL_STEP_REVERTED &&
           spb_last.version == SPB_MANIFEST_U32(manifest, VERSION);
}

/* The first sector has the manifest, and more of the file than that unless it is none. */
static enum spb_text judge(struct spb_stick *s, uint32_t floor) {
    struct spb_engine *e = spb_engine();
    struct spb_chain chain;
    if (s->file.size < SPB_HEAD_SIZE) return spb_text_of(SPB_E_INVALID_PATCH_IMAGE);
    spb_chain_start(&s->volume, &chain, s->file.cluster, s->file.flat);
    const uint8_t *b = spb_volume_sector(&s->volume, spb_chain_next(&s->volume, &chain));
    if (b == NULL) return s->volume.trouble;
    enum spb_status status = spb_engine_foresee(e, b, floor);
    if (status == SPB_OK) {
        uint32_t payload = s->file.size - SPB_HEAD_SIZE, wanted = SPB_MANIFEST_U32(e->header, PAYLOAD_SIZE);
        if (payload != wanted) status = payload < wanted ? SPB_E_TOO_FEW_BYTES : SPB_E_TOO_MANY_BYTES;
    }
    if (status != SPB_OK) return spb_text_of(status);
    if (was_given_up(s, e->header)) return REVERTED;
    return was_tried(s) ? TRIED : FITS;
}

/* Versions mean something in what is a manifest. */
static void tell(const struct spb_stick *s, enum spb_text verdict) {
    const uint8_t *m = spb_engine()->header;
    if (spb_manifest_shape(m) != SPB_OK) spb_console_log("  %s: %t", s->file.name, verdict);
    else if (SPB_MANIFEST_U32(m, BASE_VERSION) == 0) spb_console_log("  %s: %v: %t", s->file.name, SPB_MANIFEST_U32(m, VERSION), verdict);
    else spb_console_log("  %s: %v for %v: %t", s->file.name, SPB_MANIFEST_U32(m, VERSION), SPB_MANIFEST_U32(m, BASE_VERSION), verdict);
}

static bool is_better(const struct spb_stick *s, uint32_t version) {
    return version > s->version || (version == s->version && s->file.size < s->best.size);
}

/* The best of the files; false when there is none. */
static bool choose(struct spb_stick *s, uint32_t floor) {
    uint32_t files = 0;
    s->version = 0;
    s->best.size = NONE;
    spb_directory_open(&s->directory, &s->volume);
    while (files < SPB_STICK_FILES && spb_directory_next(&s->directory, &s->volume, &s->file)) {
        struct spb_engine *e = spb_engine();
        e->header[SPB_MANIFEST_OFF_MAGIC] = 0;          /* of the file before */
        enum spb_text verdict = judge(s, floor);
        if (files++ < SPB_STICK_LINES) tell(s, verdict);
        uint32_t version = SPB_MANIFEST_U32(e->header, VERSION);
        if (verdict != FITS || !is_better(s, version)) continue;
        s->best = s->file;
        s->version = version;
    }
    if (files > SPB_STICK_LINES) spb_console_log("  and %u more", files - SPB_STICK_LINES);
    return s->best.size != NONE;
}

/* K4: the next bytes of a file that is looked through; its head is not. */
static enum spb_status look_through(struct spb_payload *p, const uint8_t *bytes, uint32_t len) {
    while (len > 0) {
        uint32_t n = spb_payload_take(p, bytes, len);
        if (n == 0) return SPB_E_TOO_MANY_BYTES;
        bytes += n;
        len -= n;
        if (spb_payload_chunk_whole(p) && !spb_payload_pass(p)) return SPB_E_INVALID_PATCH_TAG;
    }
    return SPB_OK;
}

/* How far it is, and how long the rest takes if it goes on like that; nothing of what takes a moment. */
static void show(uint32_t part, uint32_t ms) {
    uint32_t left_s = ms / part * (PARTS - part) / 1000u;
    if (left_s > 0) spb_console_log("  %u %%, %u s to go", part * (100u / PARTS), left_s);
}

/* Where the sectors of the best file go: to the consumer, or they are only looked through. */
static enum spb_source_end walk(struct spb_stick *s, struct spb_payload *p) {
    struct spb_volume *v = &s->volume;
    struct spb_chain chain;
    uint32_t size = s->best.size, each = size / PARTS + 1, start = spb_line_ms(), part = 0;
    spb_chain_start(v, &chain, s->best.cluster, s->best.flat);
    for (uint32_t done = 0; done < size;) { /* K3: no more bytes than the directory says are asked for, so the walk ends */
        uint32_t len = spb_lower(size - done, SPB_SECTOR_SIZE), head = done == 0 ? SPB_HEAD_SIZE : 0;
        const uint8_t *b = spb_volume_sector(v, spb_chain_next(v, &chain));
        if (b == NULL) return (enum spb_source_end)v->trouble;
        enum spb_status status = p != NULL ? look_through(p, b + head, len - head) : spb_source_data(b, len);
        if (status != SPB_OK) return p != NULL ? (enum spb_source_end)spb_text_of(status) : SPB_SOURCE_REFUSED;
        done += len;
        spb_show_light((done / SPB_SECTOR_SIZE & LIGHT_SECTORS) != 0);
        if (p == NULL && done / each != part) show(part = done / each, spb_line_ms() - start);
    }
    return SPB_SOURCE_DONE;
}

static enum spb_source_end send(struct spb_stick *s) {
    struct spb_payload *p = &spb_engine()->payload;     /* which nobody needs before the file begins */
    memset(p, 0, sizeof *p);
    spb_payload_init(p, s->best.size - SPB_HEAD_SIZE);
    enum spb_source_end end = walk(s, p);
    if (end != SPB_SOURCE_DONE) return end;
    return spb_source_begin(s->best.size) == SPB_OK ? walk(s, NULL) : SPB_SOURCE_REFUSED;
}

enum spb_source_end spb_stick_receive(struct spb_stick *s, bool active) {
    if (s->tries == SPB_STICK_TRIES) return SPB_SOURCE_NONE;
    enum spb_text trouble = spb_volume_open(&s->volume);
    bool found = trouble == SPB_TEXT_NONE && choose(s, spb_engine_floor(spb_engine(), active));
    trouble = s->volume.trouble;
    if (trouble != SPB_TEXT_NONE) spb_console_log("USB stick: %t", trouble);
    if (!found) {
        if (trouble == SPB_TEXT_NONE) spb_console_log("USB stick: no update for this device");
        return SPB_SOURCE_NONE;
    }
    spb_console_log("USB stick: taking %s, version %v, %u bytes", s->best.name, s->version, s->best.size);
    s->volume.trouble = SPB_TEXT_NONE;
    s->tried[s->tries++] = s->best.cluster;         /* K1 */
    return send(s);
}
