/* SPDX-License-Identifier: MIT */
/* rotation.h - an update that brings a new key and no image (keys.h): what the engine asks of it beside of what it asks of each.
 * Its payload is one chunk, not encrypted: the table of the key.  So the signature covers it as it covers any first chunk.
 * O1  The key there is has signed it, and it is for this product and board; its number is higher than that of the key.
 * O2  No update is under way that is not signed by the new key: none is committed, none is on trial.
 * O3  It counts as soon as its last byte is in; there is nothing to commit. */
#ifndef SPB_ROTATION_H
#define SPB_ROTATION_H

#include "engine.h"

static inline bool spb_rotation(const struct spb_engine *e) {
    return SPB_KEYS_RECORDS > 0 && e->header[SPB_MANIFEST_OFF_KIND] == SPB_MANIFEST_KIND_KEYS;
}

static inline const uint8_t *spb_rotation_table(const struct spb_engine *e) { return e->payload.buffer + SPB_DELTA_STEP_SIZE; }

/* As spb_manifest_shape. */
SPB_CHECKED enum spb_status spb_rotation_shape(const uint8_t manifest[SPB_MANIFEST_SIZE]);

/* The permit was given for signature, and all was asked that is asked of an image, too. */
SPB_CHECKED enum spb_status spb_rotation_finish(struct spb_engine *e);

#endif
