/* SPDX-License-Identifier: MIT */
/* payload.h - the payload of an update: chunks chained by hash, each authenticated whole, then decrypted in place.
 * P1  Nothing of a chunk is decrypted or handed out before its hash was found equal to the one that the signed
 *     manifest (chunk 0) or the chunk before it (all others) promises.
 * P2  The bytes of a chunk that were left unread stay in front of the next one, at most SPB_DELTA_STEP_SIZE of them. */
#ifndef SPB_PAYLOAD_H
#define SPB_PAYLOAD_H

#include "aes.h"
#include "delta.h"

struct spb_payload {
    uint32_t left;                          /* bytes of payload not taken yet */
    uint32_t need;                          /* bytes of the chunk being taken */
    uint32_t fill;                          /* of them, taken */
    uint32_t block;                         /* AES block number of its first byte */
    uint32_t carry;                         /* bytes in front of it that the decoder has not read */
    uint8_t expect[SPB_CHUNK_HASH_SIZE];    /* its hash; not known for chunk 0 */
    uint8_t nonce[SPB_CIPHER_NONCE_SIZE];
    const uint8_t *key;
    uint8_t buffer[SPB_DELTA_STEP_SIZE + SPB_CHUNK_DATA_SIZE + SPB_CHUNK_HASH_SIZE];
};

/* p is all zero; size was found possible by spb_manifest_shape(). */
void spb_payload_init(struct spb_payload *p, uint32_t size);

/* Take up to len bytes, not past the end of a chunk; how many were taken. */
SPB_CHECKED uint32_t spb_payload_take(struct spb_payload *p, const uint8_t *data, uint32_t len);

static inline bool spb_payload_chunk_whole(const struct spb_payload *p) { return p->fill == p->need; }
static inline bool spb_payload_last(const struct spb_payload *p) { return p->left == 0; }

/* Hash of the whole chunk in the buffer. */
void spb_payload_hash(const struct spb_payload *p, uint8_t hash[SPB_CHUNK_HASH_SIZE]);

/* Set the key; after the signature over chunk 0 was verified. */
void spb_payload_unlock(struct spb_payload *p, const uint8_t *key, const uint8_t manifest[SPB_MANIFEST_SIZE]);

/* For who looks through a file before it is used: go on to the next chunk if the whole one in the buffer is the one that was
 * promised, or the first, for which the signature does. */
SPB_CHECKED bool spb_payload_pass(struct spb_payload *p);

/* Decrypt the whole, authenticated chunk; *in and the result are what the decoder may read now. */
uint32_t spb_payload_open(struct spb_payload *p, const uint8_t **in);

/* The decoder has read used of them; make room for the next chunk. */
void spb_payload_next(struct spb_payload *p, uint32_t used);

#endif
