/* SPDX-License-Identifier: MIT */
/* keys.h - the key that updates are checked with: that of the personalisation area, or the newest that an update of kind
 * KEYS brought.  On a board with an area for keys; without one (SPB_KEYS_RECORDS 0) nothing of this is there.
 * A record is appended for each new key (docs/format.md), and none is ever erased.
 * K1  A record counts when one of its two hashes fits: a cut anywhere leaves the key before or the new one.  Where the second
 *     is missing the next start writes it, so that a first one which a cut left weak does not take the key away later.
 * K2  There is one key.  What an older one signs is refused, but for K3.
 * K3  What SLOT0 held when a key came still starts: the signed bytes of its header are in the record, and are compared.
 *     It is no floor: the new key may sign any version.
 * K4  No single skipped instruction makes an older key the key: it is looked for twice, and a check of a signature is only
 *     good where both agree.
 * K5  Records are read by read(), and by the bootloader alone: the application finds in RAM what a boot found.
 * K6  A record that does not read as erased is never written. */
#ifndef SPB_KEYS_H
#define SPB_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "spb_config.h"
#include "status.h"

struct spb_slot_work;

/* What the boot found, kept for the application. */
struct spb_keys {
    uintptr_t key;          /* where the table is; all zero until a boot has looked */
    uintptr_t inverse;      /* ~ of it, found anew */
    uint32_t next;          /* offset of the first record that reads as erased */
};

extern struct spb_keys spb_keys;

/* Find the key.  work: not the engine's while it has an update under way. */
void spb_keys_open(struct spb_slot_work *work);

/* Zero when `table` is the key by both searches (K4). */
static inline uint32_t spb_keys_doubt(const uint8_t *table) {
    return (uint32_t)(*(const volatile uintptr_t *)&spb_keys.inverse + (uintptr_t)table + 1);
}

/* Number of the key; the first of a product has 0. */
uint32_t spb_keys_index(void);

/* SPB_GOOD, when the header at `header` is the one that counts though an older key signed it (K3). */
enum spb_verdict spb_keys_pinned(const uint8_t *header);

/* Of the header in work: spb_slot_vouch(), or that. */
enum spb_verdict spb_keys_trust(struct spb_slot_work *work);

/* The table that a new key comes with is that of the key there is. */
bool spb_keys_have(const uint8_t table[SPB_KEYS_SIZEOF_TABLE]);

/* Append a key and make it the key, if *permit is good.  pinned: the header in SLOT0, or NULL.  work: as above, and the
 * header in it is overwritten. */
SPB_CHECKED enum spb_status spb_keys_add(const volatile enum spb_verdict *permit, const uint8_t *table, uint32_t index,
                                         const uint8_t *pinned, struct spb_slot_work *work);

#endif
