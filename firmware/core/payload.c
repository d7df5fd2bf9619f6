/* SPDX-License-Identifier: MIT */
#include "payload.h"

#include <string.h>

#include "sha256.h"

#define AES_BLOCK 16u

_Static_assert(SPB_CHUNK_DATA_SIZE % AES_BLOCK == 0, "every chunk starts at an AES block");

static uint8_t *chunk(struct spb_payload *p) { return p->buffer + SPB_DELTA_STEP_SIZE; }

static uint32_t data_len(const struct spb_payload *p) {
    return p->left == 0 ? p->need : SPB_CHUNK_DATA_SIZE;
}

static void next_chunk(struct spb_payload *p) {
    p->need = p->left <= SPB_CHUNK_DATA_SIZE ? p->left : SPB_CHUNK_DATA_SIZE + SPB_CHUNK_HASH_SIZE;
    p->left -= p->need;
    p->fill = 0;
}

void spb_payload_init(struct spb_payload *p, uint32_t size) {
    p->left = size;
    next_chunk(p);
}

uint32_t spb_payload_take(struct spb_payload *p, const uint8_t *data, uint32_t len) {
    uint32_t n = 0;
    while (n < len && p->fill < p->need) chunk(p)[p->fill++] = data[n++];
    return n;
}

void spb_payload_hash(const struct spb_payload *p, uint8_t hash[SPB_CHUNK_HASH_SIZE]) {
    uint8_t whole[32];
    spb_sha256(p->buffer + SPB_DELTA_STEP_SIZE, p->need, whole);
    memcpy(hash, whole, SPB_CHUNK_HASH_SIZE);
}

/* Not inlined: its hash is not on the stack under a signature check. */
__attribute__((noinline)) void spb_payload_unlock(struct spb_payload *p, const uint8_t *key, const uint8_t manifest[SPB_MANIFEST_SIZE]) {
    uint8_t whole[32];
    spb_sha256(manifest, SPB_MANIFEST_SIZE, whole);
    memcpy(p->nonce, whole, SPB_CIPHER_NONCE_SIZE);
    p->key = key;
}

bool spb_payload_pass(struct spb_payload *p) {
    uint8_t hash[SPB_CHUNK_HASH_SIZE];
    spb_payload_hash(p, hash);
    if (p->block > 0 && memcmp(hash, p->expect, sizeof hash) != 0) return false;
    p->block++;     /* behind the first; no key stream is made here */
    memcpy(p->expect, chunk(p) + SPB_CHUNK_DATA_SIZE, SPB_CHUNK_HASH_SIZE);      /* of the last chunk's no use is made */
    if (p->left > 0) next_chunk(p);
    return true;
}

uint32_t spb_payload_open(struct spb_payload *p, const uint8_t **in) {
    uint32_t len = data_len(p);
    if (len < p->need) memcpy(p->expect, chunk(p) + len, SPB_CHUNK_HASH_SIZE);
    spb_aes128_ctr(p->key, p->nonce, p->block, chunk(p), len);
    p->block += SPB_CHUNK_DATA_SIZE / AES_BLOCK;
    *in = chunk(p) - p->carry;
    return p->carry + len;
}

void spb_payload_next(struct spb_payload *p, uint32_t used) {
    uint32_t rest = p->carry + data_len(p) - used;
    memmove(chunk(p) - rest, chunk(p) - p->carry + used, rest);
    p->carry = rest;
    next_chunk(p);
}
