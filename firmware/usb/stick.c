/* SPDX-License-Identifier: MIT */
#include "stick.h"

#include "console.h"
#include "session.h"

/* What is said of a file: a status of the engine, or one of these. */
#define FITS TEXT("fits")
#define TRIED TEXT("failed before, passed over")

static bool was_tried(const struct spb_stick *s) {
    for (uint32_t i = 0; i < s->tries; i++) {
        if (s->tried[i] == s->file.cluster) return true;
    }
    return false;
}

/* The first sector has the manifest, and more of the file than that unless it is none. */
static enum spb_text judge(struct spb_stick *s, uint32_t floor) {
    struct spb_engine *e = spb_engine();
    struct spb_chain chain = spb_chain_of(&s->volume, s->file.cluster, s->file.flat);
    uint32_t sector = spb_chain_next(&s->volume, &chain);
    if (s->file.size < SPB_HEAD_SIZE) return spb_text_of(SPB_E_INVALID_PATCH_IMAGE);
    const uint8_t *b = sector != SPB_SECTOR_NONE ? spb_volume_sector(&s->volume, sector) : NULL;
    if (b == NULL) return s->volume.trouble != SPB_TEXT_NONE ? s->volume.trouble : SPB_VOLUME_DAMAGED;
    enum spb_status status = spb_engine_foresee(e, b, floor);
    if (status == SPB_OK) {
        uint32_t payload = s->file.size - SPB_HEAD_SIZE, wanted = SPB_MANIFEST_U32(e->header, PAYLOAD_SIZE);
        if (payload != wanted) status = payload < wanted ? SPB_E_TOO_FEW_BYTES : SPB_E_TOO_MANY_BYTES;
    }
    if (status != SPB_OK) return spb_text_of(status);
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
    return version > s->version || s->best.name[0] == '\0' || (version == s->version && s->file.size < s->best.size);
}

/* The best of the files; false when there is none. */
static bool choose(struct spb_stick *s, uint32_t floor) {
    uint32_t files = 0;
    s->best.name[0] = '\0';
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
    return s->best.name[0] != '\0';
}

/* K3: no more bytes than the directory says are asked for, so the walk ends. */
static enum spb_source_end send(struct spb_stick *s) {
    struct spb_volume *v = &s->volume;
    struct spb_chain chain = spb_chain_of(v, s->best.cluster, s->best.flat);
    if (spb_source_begin(s->best.size) != SPB_OK) return SPB_SOURCE_REFUSED;
    for (uint32_t left = s->best.size; left > 0;) {
        uint32_t sector = spb_chain_next(v, &chain), len = spb_lower(left, SPB_SECTOR_SIZE);
        const uint8_t *b = sector != SPB_SECTOR_NONE ? spb_volume_sector(v, sector) : NULL;
        if (b == NULL) return (enum spb_source_end)(v->trouble != SPB_TEXT_NONE ? v->trouble : SPB_VOLUME_DAMAGED);
        if (spb_source_data(b, len) != SPB_OK) return SPB_SOURCE_REFUSED;
        left -= len;
    }
    return SPB_SOURCE_DONE;
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
