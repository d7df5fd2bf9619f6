/* SPDX-License-Identifier: MIT */
/* fragments.h - an update in fragments, over a link that loses, doubles and reorders them, across resets.
 * Each fragment that comes becomes a record in a store; once none is missing, the file goes to SE_PATCH_Data in order.
 * The store is flash that the application has for itself, or RAM where nothing has to outlive a reset.  A record counts
 * when its check fits; one that a power cut left half written does not count, and its place is not written again.
 * Whoever sends is asked for what is missing, in whatever way the link has.  Not for use by two tasks at once. */
#ifndef FRAGMENTS_H
#define FRAGMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "spboot/spboot.h"

#define FRAGMENTS_MAX 512u      /* of one file; each takes two bytes of RAM */
#define FRAGMENT_SIZE_MAX 224u  /* bytes, a multiple of 8; 219 is what LoRaWAN has at SF7 */

/* Offsets and lengths are multiples of 8, and inside size.  Buffers are aligned to words. */
struct fragments_store {
    uint32_t size;
    bool (*erase)(void);                                              /* all of it */
    bool (*write)(uint32_t off, const uint32_t *data, uint32_t len);  /* what was erased, once; false: it is not there */
    bool (*read)(uint32_t off, uint32_t *data, uint32_t len);         /* false: it cannot be read (ECC) */
};

/* What the sender told of the file. */
struct fragments_file {
    uint32_t session;           /* tells it from any other: the first bytes of its SHA-256, say */
    uint32_t length;            /* bytes */
    uint16_t size;              /* bytes of each fragment but the last */
};

struct fragments {
    const struct fragments_store *store;
    struct fragments_file file;
    uint16_t count, have;
    uint32_t free;                   /* first byte of the store that was not written */
    uint16_t record[FRAGMENTS_MAX];  /* in which record each is, from 1 on; 0: missing */
};

enum fragments_answer {
    FRAGMENT_TAKEN,
    FRAGMENT_AGAIN,             /* it was here already */
    FRAGMENT_WRONG,             /* no such fragment, or not as long as it has to be */
    FRAGMENT_NO_ROOM,           /* the store is full of records that do not count: begin again with fragments_drop */
};

/* Begins a file, or goes on with it after a reset: all whole records of the same session are found again.  A store with
 * another file, or with nothing that counts, is erased.  False: the file does not fit, or the store fails. */
bool fragments_open(struct fragments *f, const struct fragments_store *store, const struct fragments_file *file);

/* Erases the store and begins again. */
bool fragments_drop(struct fragments *f);

/* A fragment that came, in whatever order. */
enum fragments_answer fragments_take(struct fragments *f, uint16_t index, const uint8_t *data, uint32_t len);

/* The first one that is missing, from index `from` on; f->count: none is. */
uint16_t fragments_missing(const struct fragments *f, uint16_t from);

/* Gives the whole file to the engine, from its first byte.  True: it is VERIFIED, and SE_PATCH_InstallAtNextReset is
 * next.  After a reset on the way call it again: the engine forgot everything, the store did not. */
bool fragments_feed(const struct fragments *f, SE_PATCH_Status *status);

#endif
