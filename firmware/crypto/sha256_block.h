/* SPDX-License-Identifier: MIT */
/* sha256_block.h - one block of SHA-256, under sha256.c.  Hashing is most of what a boot does: this is written for speed
 * in little flash.  Two implementations, each a file that compiles to nothing where it is not the one:
 * sha256_block_thumb2.c (Cortex-M3 and later) and sha256_block.c (portable).
 *
 * H3  No word of the message becomes a return address when the instruction is skipped that gives the frame back: lowest in
 *     the frame is a word that is no address of code, or what compilers spill there. */
#ifndef SPB_SHA256_BLOCK_H
#define SPB_SHA256_BLOCK_H

#include <stdint.h>

#if defined(SPB_SHA256_PORTABLE) /* set by tests that want the reference on a core that has a faster one */
#define SPB_SHA256_THUMB2 0
#elif defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB >= 2
#define SPB_SHA256_THUMB2 1
#else
#define SPB_SHA256_THUMB2 0
#endif

/* Takes a block, at any alignment, into the state; constant is that of FIPS 180-4 4.2.2. */
void spb_sha256_block(uint32_t state[8], const uint8_t block[64], const uint32_t constant[64]);

#endif
