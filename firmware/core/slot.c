/* SPDX-License-Identifier: MIT */
#include "slot.h"

#include <string.h>

#include "seal.h"
#include "sha256.h"
#include "trial.h"

#define STEP SPB_READ_MAX   /* bytes hashed at a time: a block of SHA-256 */

_Static_assert(SPB_HEADER_SIZE % 4 == 0, "read in words");
_Static_assert(SPB_VECTOR_SIZE % STEP == 0 && SPB_PAGE_SIZE % STEP == 0 && SPB_REST_PAGE_SIZE % STEP == 0, "no step crosses a page");
_Static_assert(SPB_PARTS == 1 || (1u << SPB_EXTENSION_LEAF_LOG2) % SPB_REST_PAGE_SIZE == 0, "a leaf is whole pages");

bool spb_slot_header(const struct spb_area *slot, uint32_t off, struct spb_slot_work *work) {
    for (uint32_t at = 0; at < SPB_HEADER_SIZE; at += STEP) {
        uint32_t len = spb_lower(SPB_HEADER_SIZE - at, STEP);
        if (!spb_area_read(slot, off + at, (uint32_t *)(void *)(work->header + at), len)) return false;
    }
    return true;
}

/* S2: product and board are asked for by branches, for speed and words, and once more without.  A refusal is the status
 * that it came with: a constant may stand in a register, and when it was not loaded there, that still has what the caller
 * keeps in it, as SPB_GOOD. */
enum spb_verdict spb_slot_vouch(struct spb_slot_work *work) {
    enum spb_status status = spb_manifest_shape(work->header);
    if (status == SPB_OK) status = spb_manifest_fits(work->header);
    if (status != SPB_OK) return (enum spb_verdict)status;
    uint32_t verdict = (uint32_t)spb_header_verify(work->header, &work->p256);
    return (enum spb_verdict)(verdict ^ spb_manifest_misfit(work->header));
}

/* Zero only when all bytes were compared and none differs.  Volatile, so that two calls stay two comparisons. */
static uint32_t difference(const volatile uint8_t *a, const volatile uint8_t *b, uint32_t len) {
    uint32_t differs = 0;
    volatile uint32_t compared = 0;
    for (uint32_t i = 0; i < len; i++, compared++) differs |= (uint32_t)(a[i] ^ b[i]);
    return differs | (compared ^ len) << 8;
}

enum spb_verdict spb_slot_same(const uint8_t *a, const uint8_t *b, uint32_t len) {
    volatile uint32_t verdict = SPB_GOOD;       /* or compilers take all differences together, and one step adds them */
    verdict += difference(a, b, len);           /* twice, and neither can take the other away */
    verdict += difference(a, b, len);
    return (enum spb_verdict)verdict;
}

struct spb_place spb_slot_place(const struct spb_pages *pages, uint32_t page) {
    const struct spb_area *area = &spb_slot0;
    uint32_t rank = pages != NULL ? spb_pages_rank(pages, page) : SPB_PAGES_NONE;
    if (rank != SPB_PAGES_NONE && (pages->saved == 0 || rank < pages->saved)) {
        area = &spb_slot1;
        if (pages->saved != 0) page = spb_trial_home(pages->count, spb_pages_rest(pages), rank);
    }
    return (struct spb_place){area, spb_page_start(page)};
}

uint32_t spb_slot_places(const struct spb_slot_work *work, uint32_t moved, bool rest) {
    uint32_t base = spb_slot0.parts[0].base;
    uint32_t count = (spb_slot_end(work, false) - 1) / SPB_PAGE_SIZE + 1;
    if (SPB_PARTS > 1 && rest) count += (SPB_MANIFEST_U32(work->header, EXTERNAL_SIZE) + SPB_REST_PAGE_SIZE - 1) / SPB_REST_PAGE_SIZE;
    return count * base + moved * (spb_slot1.parts[0].base - base);
}

/* The hash of the bytes of the slot from off to end, which are of one part, into the block; their places are added up. */
static bool hash_range(struct spb_slot_work *work, const struct spb_pages *pages, uint32_t off,
                       uint32_t end, volatile uint32_t *places) {
    struct spb_place at = {NULL, 0};        /* of the page, less its own offset */
    spb_sha256_init(&work->read.sha);
    for (uint32_t stop = 0; off < end; off += STEP) {
        if (off >= stop) {
            uint32_t page = spb_page_of(off);
            uint32_t start = spb_page_start(page);
            stop = start + spb_page_size(page);
            at = spb_slot_place(pages, page);
            at.off -= start;
            bool saved = pages != NULL && pages->saved != 0;
            *places += saved ? spb_slot0.parts[0].base : at.area->parts[0].base + 2 * at.off;
        }
        uint32_t len = spb_lower(end - off, STEP);
        if (!spb_area_read(at.area, at.off + off, work->read.block, len)) return false;
        if (SPB_SEALED && at.area == &spb_slot1) spb_seal(off, work->read.block, len);
        spb_sha256_update(&work->read.sha, work->read.block, len);
        spb_port.alive();
    }
    spb_sha256_final(&work->read.sha, (uint8_t *)work->read.block);
    return true;
}

uint32_t spb_slot_hashed(struct spb_slot_work *work, const struct spb_pages *pages) {
    uint8_t *hash = (uint8_t *)work->read.block;
    volatile uint32_t places = 0;
    if (SPB_SEALED && pages != NULL) spb_seal_open(work->header);
    if (!hash_range(work, pages, SPB_VECTOR_SIZE, spb_slot_end(work, false), &places)) return 0;
    return (uint32_t)spb_slot_same(hash, work->header + SPB_MANIFEST_OFF_IMAGE_HASH, SPB_MANIFEST_SIZEOF_IMAGE_HASH) + places;
}

uint32_t spb_slot_rest_hashed(struct spb_slot_work *work, const struct spb_pages *pages) {
    struct spb_sha256 *leaves = &work->read.leaves;
    uint8_t *hash = (uint8_t *)work->read.block;
    volatile uint32_t places = 0;
    uint32_t end = spb_slot_end(work, true), leaf = 1u << SPB_EXTENSION_LEAF_LOG2;
    spb_sha256_init(leaves);
    for (uint32_t off = SPB_PART_SIZE; off < end; off += leaf) {
        if (!hash_range(work, pages, off, spb_lower(end, off + leaf), &places)) return 0;
        spb_sha256_update(leaves, hash, SPB_MANIFEST_SIZEOF_EXTERNAL_HASH);
    }
    spb_sha256_final(leaves, hash);
    return (uint32_t)spb_slot_same(hash, work->header + SPB_MANIFEST_OFF_EXTERNAL_HASH, SPB_MANIFEST_SIZEOF_EXTERNAL_HASH) + places;
}

__attribute__((noinline)) uint32_t spb_slot_floor_once(struct spb_slot_work *work) {
    if (!spb_slot_header(&spb_slot0, 0, work) || spb_slot_vouch(work) != SPB_GOOD) return 0;
    return SPB_MANIFEST_U32(work->header, VERSION);
}

bool spb_slot_can_start(const uint8_t vectors[SPB_VECTORS_SIZE], uint32_t image_size) {
    static const uint32_t stacks[][2] = SPB_RAM_RANGES;
    uint32_t stack = spb_word(vectors), entry = spb_word(vectors + 4);
    uint32_t off = entry - SPB_IMAGE_ADDRESS;
    if ((entry & 1) == 0 || off < SPB_VECTORS_SIZE || off >= image_size || (stack & 3) != 0) return false;
    for (uint32_t i = 0; i < sizeof stacks / sizeof stacks[0]; i++) {
        if (stack >= stacks[i][0] && stack <= stacks[i][1]) return true;
    }
    return false;
}
