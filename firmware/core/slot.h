/* SPDX-License-Identifier: MIT */
/* slot.h - the installed image: header, signature, hash.
 * S1  An image counts as good only after its header's signature and the hash of every byte were checked in this boot.
 * S2  No single skipped instruction turns a bad verdict of this module into GOOD: what decides is calculated twice and
 *     added up, without a branch.
 * S3  What nobody has vouched for is not on the stack.  What lies lowest in a frame becomes a return address when the
 *     instruction is skipped that gives the frame back. */
#ifndef SPB_SLOT_H
#define SPB_SLOT_H

#include <stddef.h>

#include "keys.h"
#include "manifest.h"
#include "pages.h"
#include "sha256.h"

#define SPB_VECTORS_SIZE 8u     /* of an image: what a core loads at a reset */

/* A header out of a slot: what is checked and what is used later are the same bytes.  Too large for the stack. */
struct spb_slot_work {
    _Alignas(4) uint8_t header[SPB_HEADER_SIZE];
    union {                             /* not needed at the same time */
        struct spb_p256_work p256;
        struct {                        /* S3 */
            struct spb_sha256 sha;
            uint32_t block[SPB_READ_MAX / 4];   /* of the image, and its hash in the end */
            struct spb_sha256 leaves;   /* of hashes, where there is a second part */
        } read;
        struct spb_copy copy;
    };
};

/* Copy the header at off of a slot; false when it cannot be read (F3). */
SPB_CHECKED bool spb_slot_header(const struct spb_area *slot, uint32_t off, struct spb_slot_work *work);

/* Where a page of an image is (pages.h); NULL: in SLOT0. */
struct spb_place spb_slot_place(const struct spb_pages *pages, uint32_t page);

/* SPB_GOOD, when all bytes are the same; neither of two comparisons decides alone (S2). */
enum spb_verdict spb_slot_same(const uint8_t *a, const uint8_t *b, uint32_t len);

/* Shape, signature, product and board of the header in work. */
enum spb_verdict spb_slot_vouch(struct spb_slot_work *work);

/* The same, and of what was vouched for before the key became another (keys.h K3): that may run, and is no update. */
static inline __attribute__((always_inline)) enum spb_verdict spb_slot_trust(struct spb_slot_work *work) {
    return SPB_KEYS_RECORDS > 0 ? spb_keys_trust(work) : spb_slot_vouch(work);
}

/* Where the image ends in the slot, of its first part or of its second. */
static inline uint32_t spb_slot_end(const struct spb_slot_work *work, bool rest) {
    if (SPB_PARTS > 1 && rest) return SPB_PART_SIZE + SPB_MANIFEST_U32(work->header, EXTERNAL_SIZE);
    return SPB_VECTOR_SIZE + SPB_MANIFEST_U32(work->header, IMAGE_SIZE);
}

/* The places of the pages of the image, added up, when `moved` of them are in SLOT1 and the others in SLOT0.  rest: those
 * of the second part, too. */
uint32_t spb_slot_places(const struct spb_slot_work *work, uint32_t moved, bool rest);

/* SPB_GOOD, when the hash is the one that the header in work promises, and the places added up that it was made of; those
 * of what is saved count as SLOT0, as nothing is started by it.  Of the first part, and of the second one. */
uint32_t spb_slot_hashed(struct spb_slot_work *work, const struct spb_pages *pages);
uint32_t spb_slot_rest_hashed(struct spb_slot_work *work, const struct spb_pages *pages);

/* The image with these pages in SLOT1, which are `moved`, and the others in SLOT0 (NULL and 0: all of them) has the hash
 * that the header in work promises.  Inlined: where the pages have to be is known to the caller, and an argument that got
 * lost on the way does not decide.  What cannot be read is 0 less places, which is not SPB_GOOD: places are even. */
static inline __attribute__((always_inline)) enum spb_verdict spb_slot_match(
    struct spb_slot_work *work, const struct spb_pages *pages, uint32_t moved) {
    uint32_t found = spb_slot_hashed(work, pages);
    if (SPB_PARTS > 1) found += spb_slot_rest_hashed(work, pages) - SPB_GOOD;
    return (enum spb_verdict)(found - spb_slot_places(work, moved, true));
}

/* The same of what a core runs first, all of it in SLOT0: its second part may have been checked when it was installed. */
static inline __attribute__((always_inline)) enum spb_verdict spb_slot_match_start(struct spb_slot_work *work) {
    if (SPB_PARTS == 1 || SPB_VERIFY_REST) return spb_slot_match(work, NULL, 0);
    return (enum spb_verdict)(spb_slot_hashed(work, NULL) - spb_slot_places(work, 0, false));
}

/* Version in SLOT0's header if that header is vouched for (whatever the state of the image behind it), else 0.  Who
 * decides by it asks twice, keeps both answers, and compares with each: the higher of two is in one register. */
uint32_t spb_slot_floor_once(struct spb_slot_work *work);

/* The initial stack pointer and the reset vector of an image, aligned to words: in RAM that is the application's, and
 * Thumb code of the image.  What a core could not even begin with is not worth a flash operation. */
SPB_CHECKED bool spb_slot_can_start(const uint8_t vectors[SPB_VECTORS_SIZE], uint32_t image_size);

#endif
