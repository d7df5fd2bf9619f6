/* SPDX-License-Identifier: MIT */
/* payload.c - fuzzer: the rest of the input is plain text.  It is encrypted and chained as a release is, one byte may be
 * changed on its way, and the chunks go through the payload in pieces, driven as engine.c does.
 * Head: u16 size, u8 division, u8 what the decoder leaves unread, u16 which byte is changed, u8 by what.
 * P1: nothing of a changed chunk comes out, nor of what follows it.  P2: the plain text comes out whole and in order. */
#include <string.h>

#include "fuzz.h"
#include "payload.h"
#include "sha256.h"

#define MOST 4096u
#define FULL (SPB_CHUNK_DATA_SIZE + SPB_CHUNK_HASH_SIZE)

uint32_t fuzz_accepted;

static const uint8_t key[16] = {1, 2, 3}, manifest[SPB_MANIFEST_SIZE] = {4, 5, 6};
static uint8_t plain[MOST], wire[MOST / SPB_CHUNK_DATA_SIZE * FULL + FULL], first_hash[SPB_CHUNK_HASH_SIZE];

static uint32_t chunks_of(uint32_t size) { return (size + SPB_CHUNK_DATA_SIZE - 1) / SPB_CHUNK_DATA_SIZE; }

/* As formats/payload.py: the last chunk first, since each has the hash of the next. */
static uint32_t make_wire(uint32_t size) {
    uint8_t hash[32], nonce[32];
    spb_sha256(manifest, sizeof manifest, nonce);
    for (uint32_t i = chunks_of(size); i-- > 0;) {
        bool last = i == chunks_of(size) - 1;
        uint32_t len = last ? size - i * SPB_CHUNK_DATA_SIZE : SPB_CHUNK_DATA_SIZE;
        memcpy(wire + i * FULL, plain + i * SPB_CHUNK_DATA_SIZE, len);
        spb_aes128_ctr(key, nonce, i * (SPB_CHUNK_DATA_SIZE / 16), wire + i * FULL, len);
        if (!last) memcpy(wire + i * FULL + len, hash, SPB_CHUNK_HASH_SIZE);
        spb_sha256(wire + i * FULL, last ? len : FULL, hash);
    }
    memcpy(first_hash, hash, sizeof first_hash);
    return size + (chunks_of(size) - 1) * SPB_CHUNK_HASH_SIZE;
}

struct run {
    struct spb_payload *p;
    uint32_t out;               /* bytes of plain text that the decoder has read */
    uint8_t unread, chunks;
};

/* A whole chunk: false when it is not the one that was promised. */
static bool chunk(struct run *run) {
    struct spb_payload *p = run->p;
    uint8_t hash[SPB_CHUNK_HASH_SIZE];
    const uint8_t *in;
    spb_payload_hash(p, hash);
    if (memcmp(hash, run->chunks == 0 ? first_hash : p->expect, sizeof hash) != 0) return false;
    if (run->chunks++ == 0) spb_payload_unlock(p, key, manifest);
    uint32_t len = spb_payload_open(p, &in);
    FUZZ_CHECK(memcmp(in, plain + run->out, len) == 0, "P2: the plain text comes out in order");
    if (spb_payload_last(p)) {
        run->out += len;
        return true;
    }
    uint32_t unread = (uint32_t)run->unread % (SPB_DELTA_STEP_SIZE + 1);
    if (unread > len) unread = len;
    run->out += len - unread;
    run->unread = (uint8_t)(run->unread * 5u + 1u);
    spb_payload_next(p, len - unread);
    return true;
}

/* Bytes of wire that were taken until the end, or a chunk that is wrong. */
static uint32_t feed(struct run *run, uint32_t size, uint32_t division) {
    uint32_t at = 0, piece = division;
    while (at < size) {
        piece = piece * 77u + 3u;
        uint32_t len = division == 0 ? size - at : 1 + piece % 700u;
        uint8_t *data = malloc(len);            /* a block of just its size */
        if (data == NULL) exit(1);
        if (len > size - at) len = size - at;
        memcpy(data, wire + at, len);
        uint32_t n = spb_payload_take(run->p, data, len);
        free(data);
        FUZZ_CHECK(n >= 1 && n <= len, "a byte is taken at least, and no more than there are");
        at += n;
        if (spb_payload_chunk_whole(run->p) && !chunk(run)) return at;
    }
    return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input in = {data, data + size};
    uint32_t len = 1 + fuzz_u16(&in) % MOST, division = fuzz_u8(&in), unread = fuzz_u8(&in), changed = fuzz_u16(&in);
    uint8_t by = fuzz_u8(&in);
    for (uint32_t i = 0; i < len; i++) plain[i] = fuzz_u8(&in);
    uint32_t whole = make_wire(len);
    changed %= whole;
    wire[changed] ^= by;
    struct run run = {.p = calloc(1, sizeof *run.p), .unread = (uint8_t)unread};
    if (run.p == NULL) exit(1);
    spb_payload_init(run.p, whole);
    uint32_t taken = feed(&run, whole, division);
    if (by == 0) {
        FUZZ_CHECK(taken == whole && run.out == len, "P2: all of the plain text comes out");
        fuzz_accepted++;
    } else {
        FUZZ_CHECK(run.chunks == changed / FULL, "P1: all chunks before the changed one come out, and no other");
    }
    free(run.p);
    return 0;
}
