/* SPDX-License-Identifier: MIT */
#include "rotation.h"

#if SPB_KEYS_RECORDS

#include <stddef.h>

#include "journal.h"

_Static_assert((offsetof(struct spb_engine, payload.buffer) + SPB_DELTA_STEP_SIZE) % 4 == 0, "a table of words");
_Static_assert(SPB_KEYS_SIZEOF_TABLE <= SPB_CHUNK_DATA_SIZE, "one chunk, whose hash is signed");

enum spb_status spb_rotation_shape(const uint8_t m[SPB_MANIFEST_SIZE]) {
    bool ours = spb_load_u16(m + SPB_MANIFEST_OFF_MAGIC) == SPB_MANIFEST_MAGIC && m[SPB_MANIFEST_OFF_FORMAT] == SPB_FORMAT &&
                SPB_MANIFEST_U32(m, SIGNATURE_COUNT) == SPB_MANIFEST_SIGNATURE_COUNT &&
                SPB_MANIFEST_U32(m, IMAGE_SIZE) == SPB_KEYS_SIZEOF_TABLE && SPB_MANIFEST_U32(m, PAYLOAD_SIZE) == SPB_KEYS_SIZEOF_TABLE;
    return ours ? SPB_OK : SPB_E_UNSUPPORTED;
}

/* The index is compared by a branch, for words, and once more without (slot.h S2). */
enum spb_status spb_rotation_finish(struct spb_engine *e) {
    const uint8_t *index = e->header + SPB_MANIFEST_OFF_VERSION;
    if (spb_word(index) <= spb_keys_index()) return SPB_E_IMAGE_VERSION_FAILURE;
    if (spb_journal_committed(&spb_last) && !spb_journal_finished(&spb_last)) return SPB_E_NOT_CONFIRMED;
    e->permit ^= spb_manifest_misfit(e->header);
    e->permit += spb_manifest_below(index, spb_keys_index() + 1);
    return spb_keys_add(&e->permit, spb_rotation_table(e), spb_word(index),
                        e->active ? spb_area_start(&spb_slot0) : NULL, &e->work.slot);
}

#endif
