/* SPDX-License-Identifier: MIT */
/* aes.c - AES-128-CTR with one table of 256 bytes, made on the stack: it costs less flash to make than to keep, and for a
 * chunk of 512 bytes little time.  The round keys, too, are made once a call.  See aes.h.
 * Bytes are looked up one by one, and multiplied four at once. */
#include "aes.h"
#include "tested.h"

#define ROUNDS 10
#define KEY_WORDS (4 * (ROUNDS + 1))

/* Columns are words.  The first three stand behind the four once more, so that ShiftRows never turns round the end. */
union state {
    uint32_t words[7];
    uint8_t bytes[28];
};

struct work {
    union state s;
    uint32_t key[KEY_WORDS];
    uint8_t sbox[256];
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte of a column is the lowest of its word");

static uint32_t rol(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

/* A byte times x in GF(2^8). */
static uint32_t byte_times_x(uint32_t byte)
{
    return byte << 1 ^ (byte >> 7) * 0x11b;
}

/* The same of four at once. */
static uint32_t times_x(uint32_t bytes)
{
    return (bytes & 0x7f7f7f7f) << 1 ^ (bytes >> 7 & 0x01010101) * 0x1b;
}

/* FIPS 197 5.1.1.  p runs through the powers of 3, which are all bytes but 0, and q through their inverses. */
static void make_sbox(uint8_t sbox[256])
{
    uint32_t p = 1, q = 1;
    do {
        p ^= byte_times_x(p);
        q ^= q << 1; /* divided by 3 */
        q ^= q << 2;
        q ^= q << 4;
        q = (q & 0xff) ^ (q >> 7 & 1) * 0x09;
        uint32_t sum = q ^ q << 1 ^ q << 2 ^ q << 3 ^ q << 4;
        sbox[p] = (uint8_t)(sum ^ sum >> 8 ^ 0x63);
    } while (p != 1);
    sbox[0] = 0x63;
}

/* SubBytes and ShiftRows: the column that begins with byte p[0]. */
static uint32_t substitute(const uint8_t sbox[256], const uint8_t *p)
{
    uint32_t high = (uint32_t)sbox[p[15]] << 8 | sbox[p[10]];
    return high << 16 | (uint32_t)sbox[p[5]] << 8 | sbox[p[0]];
}

/* FIPS 197 5.2.  Not inlined: where the tables are known to be on the stack, every access adds up their address. */
__attribute__((noinline)) static void make_tables(struct work *t, const uint8_t key[16])
{
    uint32_t round_constant = 1, *word = t->key;
    int i = 15;
    do
        ((uint8_t *)word)[i] = key[i];
    while (--i >= 0);
    make_sbox(t->sbox);
    do {
        uint8_t *byte = (uint8_t *)word;
        byte[16] = byte[12]; /* where RotWord looks for what comes after byte 15 */
        i = 3;
        do
            byte[16 + i] = t->sbox[byte[13 + i]];
        while (--i >= 0);
        uint32_t next = word[4] ^ round_constant;
        round_constant = byte_times_x(round_constant);
        i = 4;
        do {
            next ^= *word;
            word[4] = next;
            word++;
        } while (--i);
    } while (word != t->key + 4 * ROUNDS);
}

/* MixColumns: byte i becomes 2 b[i] + 3 b[i+1] + b[i+2] + b[i+3]. */
static uint32_t mix(uint32_t column)
{
    uint32_t doubled = times_x(column);
    return doubled ^ rol(column ^ doubled, 24) ^ rol(column, 16) ^ rol(column, 8);
}

/* s = AES(s), to which the first round key was added.  Loops end with their test, as compilers that optimise for size leave
 * it where it is.  Not inlined, for the registers. */
__attribute__((noinline)) static void encrypt(struct work *t)
{
    const uint32_t *key = t->key + 4;
    do {
        t->s.words[4] = t->s.words[0];
        t->s.words[5] = t->s.words[1];
        t->s.words[6] = t->s.words[2];
        uint32_t *word = t->s.words;
        do {
            uint32_t column = substitute(t->sbox, (const uint8_t *)word);
            if (key < t->key + 4 * ROUNDS)
                column = mix(column);
            *word++ = column ^ *key++;
        } while (word != t->s.words + 4);
    } while (key != t->key + KEY_WORDS);
}

SPB_TESTED void spb_aes128_ctr(const uint8_t key[16], const uint8_t nonce[12], uint32_t block, uint8_t *data, size_t len)
{
    struct work t;
    make_tables(&t, key);
    for (size_t at = 0; at < len; at++) {
        if (at % 16 == 0) {
            int i = 11;
            do
                t.s.bytes[i] = nonce[i] ^ key[i];
            while (--i >= 0);
            t.s.words[3] = __builtin_bswap32(block++) ^ t.key[3];
            encrypt(&t);
        }
        data[at] ^= t.s.bytes[at % 16];
    }
    volatile uint32_t *word = (uint32_t *)&t;
    do
        *word++ = 0; /* one round key is as good as the key */
    while (word != t.key + KEY_WORDS);
}
