/* SPDX-License-Identifier: MIT */
/* sha256.c - SHA-256, see sha256.h: the stream of bytes cut into blocks. */
#include "sha256.h"
#include "sha256_block.h"
#include "tested.h"

#define ROUNDS 64

/* In a section of its own, so that no compiler keeps a part of it next to its code: a linker script may want to place it. */
__attribute__((section(".rodata.sha256"))) static const uint32_t constant[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static const uint32_t initial[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

SPB_TESTED void spb_sha256_init(struct spb_sha256 *s)
{
    const uint32_t *from = initial;
    uint32_t *to = s->state;
    __asm__("" : "+r"(from)); /* or GCC makes eight numbers in its code of them */
    do
        *to++ = *from++;
    while (to != s->state + 8);
    s->len = 0;
}

SPB_TESTED void spb_sha256_update(struct spb_sha256 *s, const void *data, size_t len)
{
    const uint8_t *next = data;
    while (len > 0) {
        size_t used = s->len % 64;
        size_t take = 64 - used < len ? 64 - used : len;
        if (take == 64) {
            spb_sha256_block(s->state, next, constant); /* whole blocks are not copied */
        } else {
            for (size_t i = 0; i < take; i++)
                s->block[used + i] = next[i];
            if (used + take == 64)
                spb_sha256_block(s->state, s->block, constant);
        }
        s->len += (uint32_t)take;
        next += take;
        len -= take;
    }
}

struct word {
    uint32_t at_any_alignment;
} __attribute__((packed, may_alias));

SPB_TESTED void spb_sha256_final(struct spb_sha256 *s, uint8_t hash[32])
{
    static const uint8_t mark = 0x80, zero = 0;
    const uint32_t bit_len[2] = {__builtin_bswap32(s->len >> 29), __builtin_bswap32(s->len << 3)};
    spb_sha256_update(s, &mark, 1);
    while (s->len % 64 != 56)
        spb_sha256_update(s, &zero, 1);
    spb_sha256_update(s, bit_len, sizeof bit_len);
    for (int i = 0; i < 8; i++)
        ((struct word *)hash)[i].at_any_alignment = __builtin_bswap32(s->state[i]);
}

__attribute__((noinline)) void spb_sha256(const void *data, size_t len, uint8_t hash[32])
{
    struct spb_sha256 s;
    spb_sha256_init(&s);
    spb_sha256_update(&s, data, len);
    spb_sha256_final(&s, hash);
}
