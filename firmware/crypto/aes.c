/* SPDX-License-Identifier: MIT */
/* aes.c - AES-128-CTR with one table of 256 bytes, made on the stack: it costs less flash to make than to keep.  See aes.h.
 * Bytes are looked up one by one, and multiplied four at once.  Round keys are made on the way. */
#include "aes.h"
#include "tested.h"

#define ROUNDS 10

/* A column of the state is a word. */
union block {
    uint8_t bytes[16];
    uint32_t words[4];
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte of a column is the lowest of its word");

static uint32_t rol(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

/* Four bytes times x in GF(2^8). */
static uint32_t times_x(uint32_t bytes)
{
    return (bytes & 0x7f7f7f7f) << 1 ^ (bytes >> 7 & 0x01010101) * 0x1b;
}

/* FIPS 197 5.1.1.  p runs through the powers of 3, which are all bytes but 0, and q through their inverses. */
static void make_sbox(uint8_t sbox[256])
{
    uint32_t p = 1, q = 1;
    do {
        p ^= times_x(p);
        q ^= q << 1; /* divided by 3 */
        q ^= q << 2;
        q ^= q << 4;
        q = (q & 0xff) ^ (q >> 7 & 1) * 0x09;
        uint32_t sum = q ^ q << 1 ^ q << 2 ^ q << 3 ^ q << 4;
        sbox[p] = (uint8_t)(sum ^ sum >> 8 ^ 0x63);
    } while (p != 1);
    sbox[0] = 0x63;
}

/* MixColumns: byte i becomes 2 b[i] + 3 b[i+1] + b[i+2] + b[i+3]. */
static uint32_t mix(uint32_t column)
{
    uint32_t doubled = times_x(column);
    return doubled ^ rol(column ^ doubled, 24) ^ rol(column, 16) ^ rol(column, 8);
}

/* s = AES(k, s); k becomes the last round key.  Loops end with their test, as compilers that optimise for size leave it
 * where it is.  Not inlined, for the registers. */
__attribute__((noinline)) static void encrypt(const uint8_t sbox[256], union block *k, union block *s)
{
    uint32_t round_constant = 1;
    int i, round = 0;
    for (;;) {
        union block t;
        i = 3;
        do
            t.words[i] = s->words[i] ^= k->words[i];
        while (--i >= 0);
        if (round++ == ROUNDS)
            break;
        i = 15;
        do
            s->bytes[i] = sbox[t.bytes[i * 5 % 16]]; /* SubBytes and ShiftRows */
        while (--i >= 0);
        i = 3;
        do {
            if (round < ROUNDS)
                s->words[i] = mix(s->words[i]);
            k->bytes[i] ^= sbox[k->bytes[12 + (i + 1) % 4]];
        } while (--i >= 0);
        k->words[0] ^= round_constant;
        round_constant = times_x(round_constant);
        i = 1;
        do
            k->words[i] ^= k->words[i - 1];
        while (++i < 4);
    }
}

SPB_TESTED void spb_aes128_ctr(const uint8_t key[16], const uint8_t nonce[12], uint32_t block, uint8_t *data, size_t len)
{
    uint8_t sbox[256];
    union block k, s;
    make_sbox(sbox);
    for (size_t i = 0; i < len; i++) {
        if (i % 16 == 0) {
            for (int j = 0; j < 16; j++) {
                k.bytes[j] = key[j];
                s.bytes[j] = (uint8_t)(j < 12 ? nonce[j] : block >> (15 - j) * 8);
            }
            block++;
            encrypt(sbox, &k, &s);
        }
        data[i] ^= s.bytes[i % 16];
    }
    for (int i = 0; i < 4; i++)
        *(volatile uint32_t *)&k.words[i] = 0; /* the last round key is as good as the key */
}
