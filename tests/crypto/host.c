/* SPDX-License-Identifier: MIT */
/* host.c - the portable crypto on the host, under sanitizers.  Reads requests from standard input, answers each with
 * 32 bytes.
 * 'v': table, hash, signature; the answer starts with the verdict.
 * 's': a length, a piece length, a message; the answer is its hash.
 * 'c': key, nonce, block, length (at most 32), data; the answer is the data deciphered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aes.h"
#include "p256.h"
#include "sha256.h"

static void take(void *to, size_t len)
{
    if (len > 0 && fread(to, 1, len, stdin) != len)
        exit(2);
}

static uint32_t take_word(void)
{
    uint32_t word;
    take(&word, sizeof word);
    return word;
}

static void answer_verify(uint8_t answer[32])
{
    uint32_t key[SPB_P256_POINTS][16];
    uint8_t hash[32], signature[64];
    struct spb_p256_work work;
    take(key, sizeof key);
    take(hash, sizeof hash);
    take(signature, sizeof signature);
    uint32_t verdict = spb_p256_verify((const uint32_t(*)[16])key, hash, signature, &work);
    memcpy(answer, &verdict, sizeof verdict);
}

/* Each piece is its own allocation, so that a read past its end is seen. */
static void answer_sha256(uint8_t answer[32])
{
    struct spb_sha256 s;
    uint32_t left = take_word(), piece = take_word();
    spb_sha256_init(&s);
    while (left > 0) {
        uint32_t len = piece < left ? piece : left;
        uint8_t *data = malloc(len);
        if (data == NULL)
            exit(3);
        take(data, len);
        spb_sha256_update(&s, data, len);
        free(data);
        left -= len;
    }
    spb_sha256_final(&s, answer);
}

static void answer_ctr(uint8_t answer[32])
{
    uint8_t key[16], nonce[12];
    take(key, sizeof key);
    take(nonce, sizeof nonce);
    uint32_t block = take_word(), len = take_word();
    uint8_t *data = malloc(len > 0 ? len : 1);
    if (data == NULL || len > 32)
        exit(3);
    take(data, len);
    spb_aes128_ctr(key, nonce, block, data, len);
    memcpy(answer, data, len);
    free(data);
}

int main(void)
{
    for (int request = getchar(); request != EOF; request = getchar()) {
        uint8_t answer[32] = {0};
        if (request == 'v')
            answer_verify(answer);
        else if (request == 's')
            answer_sha256(answer);
        else
            answer_ctr(answer);
        fwrite(answer, 1, sizeof answer, stdout);
    }
    return 0;
}
