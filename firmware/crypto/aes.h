/* SPDX-License-Identifier: MIT */
/* aes.h - AES-128 (FIPS 197) in counter mode (NIST SP 800-38A 6.5): encryption and decryption are the same.
 *
 * A counter block is a nonce of 12 bytes and the number of the block, big-endian.
 *
 * A1  The same key, nonce and block number give the same key stream, however a message is split, as long as every
 *     call but the last is a multiple of 16 bytes.
 * A2  A nonce is used for one message of one key only; the caller ensures it, and that 2^32 blocks are enough.
 * A3  The run time depends on the length alone on parts without a data cache.  There is no protection against power
 *     analysis, nor on parts with a data cache against someone who times accesses to the table: the cipher hides the
 *     firmware on its way, and what stands in flash is protected by the read-out protection. */
#ifndef SPB_AES_H
#define SPB_AES_H

#include <stddef.h>
#include <stdint.h>

/* data ^= key stream from block number `block` on */
void spb_aes128_ctr(const uint8_t key[16], const uint8_t nonce[12], uint32_t block, uint8_t *data, size_t len);

#endif
