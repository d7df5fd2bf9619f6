/* SPDX-License-Identifier: MIT */
#include "slot.h"

#include <string.h>

#include "sha256.h"

bool spb_slot_header(const struct spb_area *slot, struct spb_slot_work *work) {
    const uint8_t *data = spb_area_probe(slot, 0, SPB_HEADER_SIZE);
    if (data != NULL) memcpy(work->header, data, SPB_HEADER_SIZE);
    return data != NULL;
}

enum spb_verdict spb_slot_vouch(struct spb_slot_work *work) {
    if (spb_manifest_shape(work->header) != SPB_OK) return SPB_BAD;
    if (spb_manifest_fits(work->header) != SPB_OK) return SPB_BAD;
    return spb_header_verify(work->header, &work->p256);
}

/* Hash one page's part of the image; off counts from the start of the slot. */
static bool hash_page(struct spb_sha256 *sha, const struct spb_area *slot, uint32_t off, uint32_t len) {
    const uint8_t *data = spb_area_probe(slot, off, len);
    if (data == NULL) return false;
    spb_sha256_update(sha, data, len);
    spb_port.alive();
    return true;
}

/* Good only when all bytes were compared and none differs, without a branch that a fault could skip. */
static enum spb_verdict same(const uint8_t *a, const uint8_t *b, uint32_t len) {
    uint32_t differs = 0;
    volatile uint32_t compared = 0;
    for (uint32_t i = 0; i < len; i++, compared++) differs |= (uint32_t)(a[i] ^ b[i]);
    return (enum spb_verdict)(SPB_GOOD ^ differs * 0x01010101u ^ (compared ^ len));
}

enum spb_verdict spb_slot_match(const uint8_t header[SPB_HEADER_SIZE], const struct spb_pages *pages) {
    struct spb_sha256 sha;
    uint8_t hash[32];
    uint32_t end = SPB_VECTOR_SIZE + SPB_MANIFEST_U32(header, IMAGE_SIZE);
    spb_sha256_init(&sha);
    for (uint32_t off = SPB_VECTOR_SIZE; off < end;) {
        uint32_t page = off / SPB_PAGE_SIZE;
        uint32_t stop = (off / SPB_ALIVE_EVERY + 1) * SPB_ALIVE_EVERY;
        uint32_t len = (stop < end ? stop : end) - off;
        if (!hash_page(&sha, spb_pages_has(pages, page) ? &spb_port.slot1 : &spb_port.slot0, off, len)) return SPB_BAD;
        off += len;
    }
    spb_sha256_final(&sha, hash);
    return same(hash, header + SPB_MANIFEST_OFF_IMAGE_HASH, sizeof hash);
}

uint32_t spb_slot_floor(struct spb_slot_work *work) {
    if (!spb_slot_header(&spb_port.slot0, work) || spb_slot_vouch(work) != SPB_GOOD) return 0;
    return SPB_MANIFEST_U32(work->header, VERSION);
}
