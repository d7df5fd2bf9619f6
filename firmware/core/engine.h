/* SPDX-License-Identifier: MIT */
/* engine.h - one update, from its first byte to a verified image in SLOT1.
 * With a single slot SLOT1 is SLOT0: a full image takes the place of the installed one page by page (E4 does not hold), and
 * patches are refused.
 * E1  Flash is first touched after the signature was verified, product, board, version, size and base were accepted, and
 *     the first bytes of NEW were found to be vectors that can start here.
 * E2  The decrypter and the decoder see only bytes that the signing key vouched for (payload.h P1).
 * E3  VERIFIED means: NEW was read back from flash, page map and all, and has the signed hash.
 * E4  Until commit() a reset forgets the update; the active image is never touched here.
 * E5  The result does not depend on how the update's bytes are divided over the calls.  (Bytes after its end are
 *     TOO_MANY_BYTES in the call that brings the end, INVALID_STATE in a later one.)
 * E6  From one reset to the next at most SPB_ENGINE_STARTS updates touch flash, whatever is sent again and again. */
#ifndef SPB_ENGINE_H
#define SPB_ENGINE_H

#include "candidate.h"
#include "payload.h"

#define SPB_HEAD_SIZE (SPB_MANIFEST_SIZE + SPB_SIGNATURE_SIZE)

#define SPB_ENGINE_STARTS 8u

enum spb_stage { SPB_STAGE_IDLE, SPB_STAGE_UPDATE, SPB_STAGE_VERIFIED };

struct spb_engine {
    uint8_t starts;                     /* updates that touched flash, since the reset; all behind it begins anew with each */
    enum spb_stage stage;
    enum spb_status status;             /* of the last call that could fail */
    bool active;                        /* SLOT0 holds a valid image */
    bool committed;
    uint8_t vectors_len;                /* bytes of NEW in vectors: until all of them are, flash is not touched */
    _Alignas(4) uint8_t vectors[SPB_VECTORS_SIZE];
    volatile enum spb_verdict permit;   /* this update may touch flash */
    uint32_t taken;                     /* bytes of the update file */
    uint32_t total;                     /* all of them; 0 until the head is in */
    struct spb_candidate candidate;
    struct spb_payload payload;         /* its buffer last, so that what is small is in reach of short instructions */
    union {                             /* not needed at the same time */
        struct spb_slot_work slot;      /* before a stream is decoded, and while no update is under way */
        struct spb_delta delta;
    } work;                             /* wiped with the payload before it */
    _Alignas(4) uint8_t header[SPB_HEADER_SIZE];
};

/* Begin; total_len = 0 when unknown.  active: SLOT0 was verified in this boot.  Touches no flash. */
SPB_CHECKED enum spb_status spb_engine_start(struct spb_engine *e, uint32_t total_len, bool active);

/* For who chooses among updates by their manifests, while none is under way: the version that may not be gone below, then for
 * each, what it will be refused for as far as its manifest tells.  The manifest stays in the header. */
uint32_t spb_engine_floor(struct spb_engine *e, bool active);
SPB_CHECKED enum spb_status spb_engine_foresee(struct spb_engine *e, const uint8_t manifest[SPB_MANIFEST_SIZE], uint32_t floor);

/* The next len bytes of the update.  An error ends the update. */
SPB_CHECKED enum spb_status spb_engine_data(struct spb_engine *e, const uint8_t *data, uint32_t len);

/* Mark the verified image for installation at the next boot. */
SPB_CHECKED enum spb_status spb_engine_commit(struct spb_engine *e);

/* Drop the update or its mark. */
SPB_CHECKED enum spb_status spb_engine_abort(struct spb_engine *e);

#endif
