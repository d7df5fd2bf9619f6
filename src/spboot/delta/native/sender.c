/* SPDX-License-Identifier: MIT */
#include "sender.h"

#include <stdlib.h>
#include <string.h>

#define EVEN 2048u

static const uint8_t rate[16] = {160, 98, 71, 56, 46, 39, 34, 30, 27, 24, 22, 19, 17, 15, 13, 12};

void spb_sender_init(struct spb_sender *s, const uint16_t *models, uint32_t (*counts)[2]) {
    memset(s, 0, sizeof *s);
    s->range = 0xFFFFFFFF;
    s->waiting = 1;
    s->models = models;
    s->counts = counts;
    for (uint32_t p = 1; p < 4096; p++) s->price[p] = (uint16_t)spb_bits_price(p);
}

void spb_sender_free(struct spb_sender *s) {
    free(s->out);
    s->out = NULL;
}

static void put(struct spb_sender *s, uint8_t byte) {
    if (s->len == s->size) {
        size_t size = s->size * 2 + 4096;
        uint8_t *out = realloc(s->out, size);
        if (out == NULL) {
            s->failed = true;
            s->len = 0;
            return;
        }
        s->out = out;
        s->size = size;
    }
    s->out[s->len++] = byte;
}

static void shift(struct spb_sender *s) {
    if (s->low < 0xFF000000u || s->low >> 32 != 0) {
        uint8_t carry = (uint8_t)(s->low >> 32);
        uint8_t byte = s->cache;
        for (; s->waiting != 0 && !s->failed; s->waiting--) {
            put(s, (uint8_t)(byte + carry));
            byte = 0xFF;
        }
        s->waiting = 0;
        s->cache = (uint8_t)(s->low >> 24);
    }
    s->waiting++;
    s->low = (s->low & 0x00FFFFFF) << 8;
}

static void decide(struct spb_sender *s, uint32_t p, uint32_t bit) {
    uint32_t bound = (s->range >> 12) * p;
    s->spent += s->price[bit ? p : 4096 - p];
    if (bit) {
        s->range = bound;
    } else {
        s->low += bound;
        s->range -= bound;
    }
    while (s->range < 1u << 24) {
        s->range <<= 8;
        shift(s);
    }
}

static void learn(struct spb_sender *s, uint16_t *model, uint32_t bit) {
    uint32_t p = *model >> 4;
    uint32_t n = *model & 15u;
    p = bit ? p + ((4096 - p) * rate[n] >> 8) : p - (p * rate[n] >> 8);
    *model = (uint16_t)(p << 4 | (n < 15 ? n + 1 : n));
    if (s->counts != NULL) s->counts[model - s->models][bit]++;
}

void spb_sender_mixed(struct spb_sender *s, uint16_t *one, uint16_t *other, uint32_t bit) {
    decide(s, ((uint32_t)(*one >> 4) + (*other >> 4)) >> 1, bit);
    learn(s, one, bit);
    if (other != one) learn(s, other, bit);
}

void spb_sender_bit(struct spb_sender *s, uint16_t *model, uint32_t bit) { spb_sender_mixed(s, model, model, bit); }

void spb_sender_direct(struct spb_sender *s, uint32_t value, uint32_t bits) {
    while (bits-- > 0) decide(s, EVEN, value >> bits & 1);
}

void spb_sender_tree(struct spb_sender *s, uint16_t *models, uint32_t value, uint32_t bits) {
    uint32_t node = 1;
    while (bits-- > 0) {
        uint32_t bit = value >> bits & 1;
        spb_sender_bit(s, &models[node - 1], bit);
        node = node << 1 | bit;
    }
}

/* Of the numbers in the final interval, the one with the most zeros at its end: those need not be sent. */
size_t spb_sender_finish(struct spb_sender *s, const uint8_t **stream) {
    uint64_t last = s->low + s->range - 1;
    uint64_t low = s->low;
    for (uint32_t zeros = 32; zeros > 0; zeros--) {
        uint64_t mask = ((uint64_t)1 << zeros) - 1;
        low = (s->low + mask) & ~mask;
        if (low <= last) break;
        low = s->low;
    }
    s->low = low;
    for (uint32_t i = 0; i < 5; i++) shift(s);
    *stream = s->out == NULL ? NULL : s->out + 1;
    if (s->failed) return 0;
    while (s->len > 2 && s->out[s->len - 1] == 0) s->len--;
    return s->len - 1;
}
