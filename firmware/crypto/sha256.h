/* SPDX-License-Identifier: MIT */
/* sha256.h - SHA-256 (FIPS 180-4) of a stream of bytes.
 *
 * H1  Any split of the message over any number of updates gives the same hash; an update may be empty.
 * H2  A message is shorter than 4 GB. */
#ifndef SPB_SHA256_H
#define SPB_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct spb_sha256 {
    uint32_t state[8];
    uint32_t len;      /* of the message so far */
    uint8_t block[64]; /* its last len % 64 bytes */
};

void spb_sha256_init(struct spb_sha256 *s);
void spb_sha256_update(struct spb_sha256 *s, const void *data, size_t len);
void spb_sha256_final(struct spb_sha256 *s, uint8_t hash[32]);

/* All at once, on a frame that is gone afterwards. */
void spb_sha256(const void *data, size_t len, uint8_t hash[32]);

#endif
