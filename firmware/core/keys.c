/* SPDX-License-Identifier: MIT */
#include "keys.h"

#if SPB_KEYS_RECORDS

#include <stddef.h>
#include <string.h>

#include "slot.h"

#define STEP 32u        /* bytes read at a time: half of the block that there is room for; the other half is for a hash */

_Static_assert(SPB_KEYS_OFF_CHECK % STEP == 0 && SPB_KEYS_OFF_AGAIN - SPB_KEYS_OFF_CHECK == STEP && SPB_KEYS_SIZEOF_AGAIN == STEP && 2 * STEP == SPB_READ_MAX, "whole steps");
_Static_assert(SPB_KEYS_SIZE % SPB_PROGRAM_UNIT == 0 && SPB_KEYS_SIZEOF_TABLE % SPB_PROGRAM_UNIT == 0, "whole units");
_Static_assert(SPB_KEYS_RECORDS == 0 || SPB_KEYS_SIZEOF_PINNED == SPB_HEADER_OFF_SIGNATURE, "what is signed of a header");
#define END_SIZE (SPB_KEYS_OFF_AGAIN - SPB_KEYS_OFF_PINNED)
_Static_assert(END_SIZE <= SPB_HEADER_SIZE, "the end of a record is made where a header is read");

static const uint8_t *first_key(void) { return spb_port.personal + SPB_PERSONAL_OFF_VERIFY_KEY; }
/* A record is one of devices whose bootloader has this first key: what is left over from another one is none. */
static void begin_hash(struct spb_slot_work *work) {
    spb_sha256_init(&work->read.sha);
    spb_sha256_update(&work->read.sha, first_key(), SPB_KEYS_SIZEOF_TABLE);
}

static const uint8_t *key(void) { return (const uint8_t *)spb_keys.key; }

/* Read a record into the hash of its first bytes, which stands behind the block then.  True when it counts (K1); *used is
 * zero when it reads as erased.  A record without its last field was cut: what was written before that may be weak, and the
 * field is written now. */
static bool look(struct spb_slot_work *work, uint32_t off, uint32_t *used) {
    uint32_t *block = work->read.block, *hash = block + STEP / 4, step = 0;
    bool whole = true, counts = false, readable = true;
    begin_hash(work);
    for (uint32_t at = 0; at < SPB_KEYS_SIZE; at += STEP) {
        readable = spb_area_read(&spb_keys_area, off + at, block, STEP);
        step = 0;
        for (uint32_t i = 0; i < STEP / 4; i++) step |= block[i] ^ SPB_ERASED * 0x01010101u;
        *used |= step | !readable;
        if (at < SPB_KEYS_OFF_CHECK) {
            whole &= readable;
            spb_sha256_update(&work->read.sha, block, STEP);
        } else {
            if (at == SPB_KEYS_OFF_CHECK) spb_sha256_final(&work->read.sha, (uint8_t *)hash);
            counts |= readable && spb_slot_same((uint8_t *)block, (uint8_t *)hash, STEP) == SPB_GOOD;
        }
    }
    spb_port.alive();
    counts &= whole;
    if (counts && readable && step == 0) (void)!spb_area_program(&spb_keys_area, off + SPB_KEYS_OFF_AGAIN, (uint8_t *)hash, STEP);
    return counts;
}

/* The table of the newest record that counts.  On the way `next` comes behind the last that does not read as erased:
 * records are appended, so the first that does ends the search. */
__attribute__((noinline)) static const uint8_t *find(struct spb_slot_work *work) {
    const uint8_t *found = first_key();
    uint32_t used = 1;
    for (uint32_t off = 0; used != 0; off += SPB_KEYS_SIZE) {
        spb_keys.next = off;
        if (off >= SPB_KEYS_RECORDS * SPB_KEYS_SIZE) break;
        used = 0;
        if (look(work, off, &used)) found = spb_area_start(&spb_keys_area) + off;
    }
    return found;
}

/* K4 */
void spb_keys_open(struct spb_slot_work *work) {
    spb_keys.key = (uintptr_t)find(work);
    spb_keys.inverse = ~(uintptr_t)find(work);
}

uint32_t spb_keys_index(void) {
    if (key() == first_key()) return spb_word(spb_port.personal + SPB_PERSONAL_OFF_FLAGS) / SPB_PERSONAL_FLAG_INDEX;
    return spb_word(key() + SPB_KEYS_OFF_INDEX);
}

enum spb_verdict spb_keys_pinned(const uint8_t *header) {
    if (key() == first_key()) return (enum spb_verdict)0;
    return spb_slot_same(header, key() + SPB_KEYS_OFF_PINNED, SPB_KEYS_SIZEOF_PINNED);
}

/* The shape says that it is no erased flash, which may be what is pinned.  What is returned is loaded again: a compiler would
 * return the GOOD that it has just compared with (slot.h S2). */
enum spb_verdict spb_keys_trust(struct spb_slot_work *work) {
    volatile enum spb_verdict pinned = (enum spb_verdict)0;
    if (spb_manifest_shape(work->header) == SPB_OK) {
        pinned = spb_keys_pinned(work->header);
        if (pinned == SPB_GOOD) return pinned;
    }
    return spb_slot_vouch(work);
}

bool spb_keys_have(const uint8_t table[SPB_KEYS_SIZEOF_TABLE]) { return memcmp(table, key(), SPB_KEYS_SIZEOF_TABLE) == 0; }

enum spb_status spb_keys_add(const volatile enum spb_verdict *permit, const uint8_t *table, uint32_t index,
                             const uint8_t *pinned, struct spb_slot_work *work) {
    uint32_t off = spb_keys.next;
    uint8_t *end = work->header;
    memset(end, SPB_ERASED, SPB_KEYS_SIZEOF_PINNED);
    if (pinned != NULL) memcpy(end, pinned, SPB_KEYS_SIZEOF_PINNED);
    spb_put_word(end + SPB_KEYS_OFF_INDEX - SPB_KEYS_OFF_PINNED, index);
    begin_hash(work);
    spb_sha256_update(&work->read.sha, table, SPB_KEYS_SIZEOF_TABLE);
    spb_sha256_update(&work->read.sha, end, SPB_KEYS_OFF_CHECK - SPB_KEYS_OFF_PINNED);
    spb_sha256_final(&work->read.sha, end + SPB_KEYS_OFF_CHECK - SPB_KEYS_OFF_PINNED);
    if (!spb_area_writable(&spb_keys_area)) return SPB_E_WRITE_PROTECTED;
    if (*permit != SPB_GOOD) return SPB_E_IMAGE_VERIFY_ALG_FAILURE;
    if (off >= SPB_KEYS_RECORDS * SPB_KEYS_SIZE) return SPB_E_IMAGE_TOO_LARGE;
    const uint8_t *there = spb_area_start(&spb_keys_area) + off;
    spb_keys.next = off + SPB_KEYS_SIZE;
    enum spb_status status = spb_area_program(&spb_keys_area, off, table, SPB_KEYS_SIZEOF_TABLE);
    if (status == SPB_OK) status = spb_area_program(&spb_keys_area, off + SPB_KEYS_OFF_PINNED, end, END_SIZE);
    if (status == SPB_OK) status = spb_area_program(&spb_keys_area, off + SPB_KEYS_OFF_AGAIN, end + END_SIZE - STEP, STEP);
    if (status != SPB_OK) return status;
    if (memcmp(there, table, SPB_KEYS_SIZEOF_TABLE) != 0 || memcmp(there + SPB_KEYS_OFF_PINNED, end, END_SIZE) != 0) return SPB_E_FLASH_ERROR;
    spb_keys.key = (uintptr_t)there;
    spb_keys.inverse = ~(uintptr_t)there;
    return SPB_OK;
}

#endif
