/* SPDX-License-Identifier: MIT */
#include "engine.h"

#include <stddef.h>
#include <string.h>

#include "journal.h"
#include "rotation.h"
#include "seal.h"
#include "wipe.h"

_Static_assert(SPB_DELTA_CALM >= SPB_VECTORS_SIZE, "the vectors come by put_new(), which opens the candidate; no run does");

_Static_assert(SPB_PARTS == 1 || (SPB_MANIFEST_SIZEOF_BASE_HASH == 8 &&
                                  ((SPB_MANIFEST_OFF_BASE_HASH | SPB_MANIFEST_OFF_IMAGE_HASH | SPB_MANIFEST_OFF_EXTERNAL_HASH) & 3) == 0),
               "a word of each hash");

#define ALIVE_EVERY 1024u       /* bytes of NEW between two signs of life */

static const uint8_t *personal(uint32_t off) { return spb_port.personal + off; }

/* Secrets and half-made state go with the update.  Not inlined, which is shorter. */
__attribute__((noinline)) static enum spb_status finish(struct spb_engine *e, enum spb_stage stage,
                                                        enum spb_status status) {
    spb_wipe(&e->payload, offsetof(struct spb_engine, header) - offsetof(struct spb_engine, payload));
    spb_seal_close();
    if (!SPB_SINGLE_SLOT && status != SPB_OK && !e->committed && e->candidate.len != 0) spb_journal_fail(&e->candidate.pages, status);
    e->stage = stage;
    e->status = status;
    return status;
}

enum spb_status spb_engine_start(struct spb_engine *e, uint32_t total_len, bool active) {
    if (e->stage != SPB_STAGE_IDLE) return e->status = SPB_E_INVALID_STATE;
    memset(&e->starts + 1, 0, sizeof *e - 1);
    e->active = active;
    e->permit = SPB_BAD;
    if (spb_word(personal(SPB_PERSONAL_OFF_MAGIC)) != SPB_PERSONAL_MAGIC) return e->status = SPB_E_NOT_PERSONALISED;
    /* No stream is longer than an image and the overhead of its literals; double is beyond doubt. */
    if (total_len > 2 * SPB_SLOT_SIZE) return e->status = SPB_E_IMAGE_TOO_LARGE;
    e->stage = SPB_STAGE_UPDATE;
    return e->status = SPB_OK;
}

/* Versions only grow.  Where no image is valid, the one in the vouched-for header may come again, to repair it. */
static enum spb_status version_fits(const struct spb_engine *e, uint32_t floor) {
    uint32_t version = SPB_MANIFEST_U32(e->header, VERSION);
    if (version < floor) return SPB_E_IMAGE_VERSION_FAILURE;
    return version == floor && e->active ? SPB_E_SAME_VERSION : SPB_OK;
}

static bool is_patch(const struct spb_engine *e) {
    return (e->header[SPB_MANIFEST_OFF_KIND] & SPB_MANIFEST_KIND_MASK) == SPB_MANIFEST_KIND_PATCH;
}

/* Of the header of an image: what a patch from it names as its base. */
static bool is_base(const uint8_t *base, const uint8_t *header) {
    if (SPB_PARTS == 1) return memcmp(base, header + SPB_MANIFEST_OFF_IMAGE_HASH, SPB_MANIFEST_SIZEOF_BASE_HASH) == 0;
    return spb_word(base) == spb_word(header + SPB_MANIFEST_OFF_IMAGE_HASH) &&
           spb_word(base + 4) == spb_word(header + SPB_MANIFEST_OFF_EXTERNAL_HASH);
}

static enum spb_status base_fits(const struct spb_engine *e, const uint8_t *active_header) {
    if (!is_patch(e)) return SPB_OK;
    if (SPB_SINGLE_SLOT) return SPB_E_SINGLE_SLOT;
    if (!e->active) return SPB_E_SECTION_NOT_AVAILABLE;
    if (SPB_MANIFEST_U32(e->header, BASE_VERSION) != SPB_MANIFEST_U32(active_header, VERSION) ||
        !is_base(e->header + SPB_MANIFEST_OFF_BASE_HASH, active_header)) {
        return SPB_E_INVALID_SOURCE_IMAGE;
    }
    return SPB_OK;
}

/* The installed header, the erased bytes up to the image, and its vectors.  From here on flash is touched (E1, E6). */
static enum spb_status open_candidate(struct spb_engine *e) {
    enum spb_status status = SPB_OK;
    if (e->permit != SPB_GOOD) return SPB_E_IMAGE_VERIFY_ALG_FAILURE;
    if (!spb_slot_can_start(e->vectors, SPB_MANIFEST_U32(e->header, IMAGE_SIZE))) return SPB_E_CANNOT_START;
    if (!spb_areas_writable()) return SPB_E_WRITE_PROTECTED;
    if (e->starts == SPB_ENGINE_STARTS) return SPB_E_TOO_MANY_STARTS;
    e->starts++;
    if (!SPB_SINGLE_SLOT) status = spb_area_erase(&spb_slot1, 0, SPB_PAGE_SIZE);
    if (!SPB_SINGLE_SLOT && status == SPB_OK) status = spb_journal_erase();
    while (e->candidate.len < SPB_VECTOR_SIZE + SPB_VECTORS_SIZE && status == SPB_OK) {
        uint32_t off = e->candidate.len;
        uint8_t byte = off < SPB_HEADER_SIZE ? e->header[off] : off < SPB_VECTOR_SIZE ? SPB_ERASED : e->vectors[off % SPB_VECTORS_SIZE];
        status = spb_candidate_put(&e->candidate, byte);
    }
    return status;
}

/* Around its decoder, in a way that tells compilers nothing of where it is: they would count from the decoder. */
static struct spb_engine *engine_of(const struct spb_delta *d) {
    uintptr_t address = (uintptr_t)d - offsetof(struct spb_engine, work);
    __asm__("" : "+r"(address));
    return (struct spb_engine *)address;
}

static enum spb_status put_new(struct spb_delta *d, uint8_t byte) {
    struct spb_engine *e = engine_of(d);
    if (e->candidate.len % ALIVE_EVERY == 0) spb_port.alive();
    if (SPB_PARTS > 1 && d->np - 1 == SPB_DELTA_REST) {
        enum spb_status status = spb_candidate_rest(&e->candidate);
        if (status != SPB_OK) return status;
    }
    if (e->vectors_len == SPB_VECTORS_SIZE) return spb_candidate_put(&e->candidate, byte);
    e->vectors[e->vectors_len++] = byte;
    return e->vectors_len == SPB_VECTORS_SIZE ? open_candidate(e) : SPB_OK;
}

static uint8_t get_new(struct spb_delta *d, uint32_t off) {
    struct spb_engine *e = engine_of(d);
    if (SPB_PARTS > 1 && off >= SPB_DELTA_REST) {
        return spb_candidate_get(&e->candidate, SPB_PART_SIZE + (off - SPB_DELTA_REST));
    }
    return e->vectors_len < SPB_VECTORS_SIZE ? e->vectors[off] : spb_candidate_get(&e->candidate, SPB_VECTOR_SIZE + off);
}

static uint32_t same_new(struct spb_delta *d, uint32_t most) {
    spb_port.alive();
    return spb_candidate_same(&engine_of(d)->candidate, most);
}

/* The version that may not be gone below; where it lies is found anew each time (install.c). */
__attribute__((noinline)) static uint32_t floor_once(struct spb_engine *e) {
    if (!e->active) return spb_slot_floor_once(&e->work.slot);
    if (SPB_KEYS_RECORDS > 0 && spb_keys_pinned(spb_area_start(&spb_slot0)) == SPB_GOOD) return 0;      /* keys.h K3 */
    return SPB_MANIFEST_U32(spb_area_start(&spb_slot0), VERSION);
}

/* The image of a header, at first, or none. */
static struct spb_delta_image image_of(const uint8_t *header, const uint8_t *first, bool there) {
    struct spb_delta_image image = {{{first, there ? SPB_MANIFEST_U32(header, IMAGE_SIZE) : 0}}};
#if SPB_PARTS > 1
    image.part[1] = (struct spb_delta_part){spb_area_map(&spb_slot0, SPB_PART_SIZE, 1),
                                            there ? SPB_MANIFEST_U32(header, EXTERNAL_SIZE) : 0};
#endif
    return image;
}

/* The head and chunk 0 are in: is this update for us?  The answers in words decide, and once more the differences that
 * add up to the permit, which is looked at again before flash is touched (slot.h S2). */
static enum spb_status accept(struct spb_engine *e) {
    const uint8_t *active_header = spb_area_start(&spb_slot0);
    enum spb_status status;
    spb_payload_hash(&e->payload, e->header + SPB_HEADER_OFF_CHUNK_HASH);
    if (spb_rotation(e) && spb_keys_have(spb_rotation_table(e))) return SPB_E_SAME_VERSION;
    e->permit = spb_header_verify(e->header, &e->work.slot.p256);
    if (e->permit != SPB_GOOD) return SPB_E_IMAGE_VERIFY_ALG_FAILURE;
    if ((status = spb_manifest_fits(e->header)) != SPB_OK) return status;
    if (spb_rotation(e)) return spb_rotation_finish(e);
    volatile uint32_t floor = UINT32_MAX, again = UINT32_MAX;       /* unless stored: no version is that high */
    floor = floor_once(e);
    again = floor_once(e);
    if ((status = version_fits(e, floor)) != SPB_OK) return status;
    if ((status = base_fits(e, active_header)) != SPB_OK) return status;
    e->permit ^= spb_manifest_misfit(e->header);
    e->permit += spb_manifest_below(e->header + SPB_MANIFEST_OFF_VERSION, again);

    spb_payload_unlock(&e->payload, personal(SPB_PERSONAL_OFF_AES_KEY), e->header);
    spb_seal_open(e->header);
    static const struct spb_delta_new out = {put_new, get_new, same_new};
    const struct spb_delta_image old = image_of(active_header, active_header + SPB_VECTOR_SIZE, is_patch(e));
    const struct spb_delta_image new = image_of(e->header, NULL, true);
    spb_delta_init(&e->work.delta, &out, &old, &new);
    spb_candidate_init(&e->candidate, SPB_SINGLE_SLOT || !e->active);
    return SPB_OK;
}

/* E3 */
static enum spb_status read_back(struct spb_engine *e) {
    enum spb_status status = spb_candidate_finish(&e->candidate);
    if (status != SPB_OK) return status;
    if (!spb_slot_header(&spb_slot1, 0, &e->work.slot)) return SPB_E_FLASH_ERROR;
    if (memcmp(e->work.slot.header, e->header, SPB_HEADER_SIZE) != 0) return SPB_E_IMAGE_VERIFY_TAG_FAILURE;
    const struct spb_pages *pages = &e->candidate.pages;
    if (spb_slot_match(&e->work.slot, pages, pages->count) != SPB_GOOD) return SPB_E_IMAGE_VERIFY_TAG_FAILURE;
    return SPB_OK;
}

/* One whole chunk is in the buffer.  Not inlined: less of a stack on Cortex-M0+. */
__attribute__((noinline)) static enum spb_status chunk(struct spb_engine *e, bool first) {
    bool last = spb_payload_last(&e->payload);
    const uint8_t *in;
    uint32_t used;
    if (first) {
        enum spb_status status = accept(e);
        if (status != SPB_OK || spb_rotation(e)) return status;
    } else {
        uint8_t hash[SPB_CHUNK_HASH_SIZE];
        spb_payload_hash(&e->payload, hash);
        if (memcmp(hash, e->payload.expect, sizeof hash) != 0) return SPB_E_INVALID_PATCH_TAG;
    }
    uint32_t len = spb_payload_open(&e->payload, &in);
    enum spb_status status = spb_delta_run(&e->work.delta, in, len, last, &used);
    if (status != SPB_OK) return status;
    if (last) return e->work.delta.np == spb_delta_end(&e->work.delta) ? read_back(e) : SPB_E_PARSER_ERROR;
    spb_payload_next(&e->payload, used);
    return SPB_OK;
}

/* One byte.  On the wire the signature follows the manifest; in a header the hash of chunk 0 stands between them. */
static void take_head(struct spb_engine *e, uint8_t byte) {
    uint32_t at = e->taken;
    e->header[at < SPB_MANIFEST_SIZE ? at : at - SPB_MANIFEST_SIZE + SPB_HEADER_OFF_SIGNATURE] = byte;
}

uint32_t spb_engine_floor(struct spb_engine *e, bool active) {
    e->active = active;
    return floor_once(e);
}

enum spb_status spb_engine_foresee(struct spb_engine *e, const uint8_t manifest[SPB_MANIFEST_SIZE], uint32_t floor) {
    enum spb_status status;
    memcpy(e->header, manifest, SPB_MANIFEST_SIZE);
    if ((status = spb_manifest_shape(e->header)) != SPB_OK) return status;
    if (SPB_MANIFEST_U32(e->header, PAYLOAD_SIZE) > 2 * SPB_SLOT_SIZE) return SPB_E_IMAGE_TOO_LARGE;
    if ((status = spb_manifest_fits(e->header)) != SPB_OK) return status;
    if ((status = version_fits(e, floor)) != SPB_OK) return status;
    return base_fits(e, spb_area_start(&spb_slot0));
}

static enum spb_status head_whole(struct spb_engine *e) {
    enum spb_status status = spb_rotation(e) ? spb_rotation_shape(e->header) : spb_manifest_shape(e->header);
    uint32_t payload_size = SPB_MANIFEST_U32(e->header, PAYLOAD_SIZE);
    if (status != SPB_OK) return status;
    if (payload_size > 2 * SPB_SLOT_SIZE) return SPB_E_IMAGE_TOO_LARGE;
    e->total = SPB_HEAD_SIZE + payload_size;
    spb_payload_init(&e->payload, payload_size);
    return SPB_OK;
}

static enum spb_status take(struct spb_engine *e, const uint8_t *data, uint32_t len) {
    enum spb_status status = SPB_OK;
    while (len > 0 && status == SPB_OK) {
        bool in_head = e->taken < SPB_HEAD_SIZE;
        uint32_t before = e->taken;
        if (e->total != 0 && len > e->total - e->taken) return SPB_E_TOO_MANY_BYTES;
        uint32_t n = 1;
        if (in_head) take_head(e, *data);
        else n = spb_payload_take(&e->payload, data, len);
        e->taken += n;
        data += n;
        len -= n;
        if (in_head) {
            if (e->taken == SPB_HEAD_SIZE) status = head_whole(e);
        } else if (spb_payload_chunk_whole(&e->payload)) {
            bool first = before - SPB_HEAD_SIZE < SPB_CHUNK_DATA_SIZE + SPB_CHUNK_HASH_SIZE;
            status = chunk(e, first);
        }
    }
    return status;
}

enum spb_status spb_engine_data(struct spb_engine *e, const uint8_t *data, uint32_t len) {
    if (e->stage != SPB_STAGE_UPDATE) return e->status = SPB_E_INVALID_STATE;
    enum spb_status status = take(e, data, len);
    if (status != SPB_OK) return finish(e, SPB_STAGE_IDLE, status);
    if (e->total != 0 && e->taken == e->total) return finish(e, SPB_STAGE_VERIFIED, SPB_OK);
    return e->status = SPB_OK;
}

/* A record that flash says it did not take may be there all the same: it is erased, or counts. */
enum spb_status spb_engine_commit(struct spb_engine *e) {
    if (e->stage == SPB_STAGE_UPDATE) return finish(e, SPB_STAGE_IDLE, SPB_E_TOO_FEW_BYTES);
    if (e->stage != SPB_STAGE_VERIFIED) return e->status = SPB_E_INVALID_STATE;
    if (spb_rotation(e)) return e->status = SPB_OK;      /* it is there already */
    if (!SPB_SINGLE_SLOT && !e->committed) {
        if (spb_journal_commit(e->header, &e->candidate.pages) != SPB_OK && spb_journal_erase() == SPB_OK) {
            return finish(e, SPB_STAGE_IDLE, SPB_E_INSTALL_ERROR);
        }
    }
    e->committed = true;
    return e->status = SPB_OK;
}

enum spb_status spb_engine_abort(struct spb_engine *e) {
    enum spb_status status = SPB_OK;
    if (e->committed) {
        if (!SPB_SINGLE_SLOT) status = spb_journal_erase();
        e->committed = status != SPB_OK;
    }
    return finish(e, SPB_STAGE_IDLE, status);
}
