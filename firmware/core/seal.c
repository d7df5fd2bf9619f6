/* SPDX-License-Identifier: MIT */
#include "seal.h"

#include <string.h>

#include "bytes.h"
#include "sha256.h"
#include "wipe.h"

#define BLOCK 32u
#define SECRET 32u
#define SEED 55u            /* the most that one block of SHA-256 has room for */
#define COUNT_OFF (SEED - 4u)

_Static_assert(!SPB_SEALED || SPB_VECTOR_SIZE % BLOCK == 0, "no block has bytes of the header");

static struct {
    uint8_t seed[SEED + 1];     /* secret, hash of the header, number of the block, big-endian */
    uint32_t block;             /* whose key stream is in `stream`; 0: none is, as that is of the header */
    uint8_t stream[BLOCK];
} seal;

/* Of the key under which updates are encrypted: this is another use of it. */
__attribute__((noinline)) void spb_seal_open(const uint8_t header[SPB_HEADER_SIZE]) {
    static const char use[] = "spboot at rest";
    struct spb_sha256 sha;
    if (!SPB_SEALED) return;
    spb_sha256(header, SPB_HEADER_SIZE, seal.stream);
    memcpy(seal.seed + SECRET, seal.stream, COUNT_OFF - SECRET);
    spb_sha256_init(&sha);
    spb_sha256_update(&sha, use, sizeof use - 1);
    spb_sha256_update(&sha, spb_port.personal + SPB_PERSONAL_OFF_AES_KEY, SPB_CIPHER_KEY_SIZE);
    spb_sha256_final(&sha, seal.seed);
    seal.block = 0;
}

void spb_seal(uint32_t off, void *data, uint32_t len) {
    if (!SPB_SEALED || off - SPB_VECTOR_SIZE >= SPB_PART_SIZE - SPB_VECTOR_SIZE) return;
    for (uint8_t *byte = data; len > 0; len--, off++, byte++) {
        if (seal.block != off / BLOCK) {
            seal.block = off / BLOCK;
            spb_store_u32(seal.seed + COUNT_OFF, __builtin_bswap32(seal.block));
            spb_sha256(seal.seed, SEED, seal.stream);
        }
        *byte ^= seal.stream[off % BLOCK];
    }
}

void spb_seal_close(void) {
    if (SPB_SEALED) spb_wipe(&seal, sizeof seal);
}
