/* SPDX-License-Identifier: MIT */
#include "delta.h"

#include <string.h>

enum kind { LITERAL, COPY_OLD, COPY_NEW };
enum golomb { GOLOMB_NEAR, GOLOMB_DIST, GOLOMB_LEN_OLD, GOLOMB_LEN_NEW };

#define EVEN 2048u     /* probability one half */

/* The first bits of a context move it far, later ones less: speed against precision. */
static const uint8_t rate[16] = {171, 102, 73, 57, 47, 39, 34, 30, 27, 24, 22, 20, 16, 12, 10, 8};

static uint32_t next_byte(struct spb_delta *d) { return d->in < d->end ? *d->in++ : 0; }

/* One binary decision; probability is of a 1, in 1/4096, 1 .. 4095, so neither part of range is ever empty. */
static uint32_t decide(struct spb_delta *d, uint32_t probability) {
    uint32_t bound = (d->range >> 12) * probability;
    uint32_t bit = d->code < bound;
    if (bit) {
        d->range = bound;
    } else {
        d->code -= bound;
        d->range -= bound;
    }
    while (d->range < 1u << 24) {
        d->range <<= 8;
        d->code = d->code << 8 | next_byte(d);
    }
    return bit;
}

/* A decision that learns.  Model: probability in bits 15..4, count in bits 3..0. */
static uint32_t adaptive(struct spb_delta *d, uint16_t *model) {
    uint32_t p = *model >> 4;
    uint32_t n = *model & 15u;
    uint32_t bit = decide(d, p);
    p = bit ? p + ((4096 - p) * rate[n] >> 8) : p - (p * rate[n] >> 8);
    *model = (uint16_t)(p << 4 | (n < 15 ? n + 1 : n));
    return bit;
}

static uint32_t direct(struct spb_delta *d, uint32_t bits) {
    uint32_t value = 0;
    while (bits--) value = value << 1 | decide(d, EVEN);
    return value;
}

static uint32_t tree(struct spb_delta *d, uint16_t *models, uint32_t bits) {
    uint32_t m = 1;
    while (m >> bits == 0) m = m << 1 | adaptive(d, &models[m]);
    return m - (1u << bits);
}

static uint32_t golomb(struct spb_delta *d, enum golomb g) {
    uint32_t e = tree(d, d->models.exp[g], 5);
    if (e == 0) return 0;
    uint32_t u = 2 | adaptive(d, &d->models.mant[g][e]);
    return (u << (e - 1) | direct(d, e - 1)) - 1;
}

static uint32_t bits_for(uint32_t value) {
    uint32_t bits = 0;
    while (bits < 32 && value >> bits != 0) bits++;
    return bits;
}

static enum spb_status put(struct spb_delta *d, const struct spb_delta_new *out, uint8_t byte) {
    d->last[1] = d->last[0];
    d->last[0] = byte;
    d->np++;
    return out->put(out->context, byte);
}

static enum spb_status literal(struct spb_delta *d, const struct spb_delta_new *out) {
    uint32_t odd = d->np & 1;
    uint32_t high = tree(d, d->models.hi[odd][d->last[1] >> 6], 4);
    uint32_t low = tree(d, d->models.lo[odd][high], 4);
    d->prev = LITERAL;
    d->literals++;
    return put(d, out, (uint8_t)(high << 4 | low));
}

/* Source position in OLD; the displacement np - src is remembered, newest in r0. */
static uint32_t old_source(struct spb_delta *d) {
    uint32_t displacement;
    if (adaptive(d, &d->models.rep[d->prev == LITERAL ? 0 : 1])) return d->np - d->r0;
    if (adaptive(d, &d->models.rep1)) {
        displacement = d->r1;
    } else if (adaptive(d, &d->models.near)) {
        uint32_t down = adaptive(d, &d->models.sign);
        uint32_t step = golomb(d, GOLOMB_NEAR) + 1;
        displacement = down ? d->r0 - step : d->r0 + step;
    } else {
        displacement = d->np - direct(d, bits_for(d->old_len - 1));
    }
    d->r1 = d->r0;
    d->r0 = displacement;
    return d->np - displacement;
}

static enum spb_status copy_old(struct spb_delta *d, const struct spb_delta_new *out) {
    uint32_t src = old_source(d);
    uint32_t more = golomb(d, GOLOMB_LEN_OLD);
    if (src >= d->old_len || more >= d->old_len - src || more >= d->new_len - d->np) return SPB_E_PARSER_ERROR;
    d->prev = COPY_OLD;
    for (uint32_t i = 0; i <= more; i++) {
        enum spb_status status = put(d, out, d->old[src + i]);
        if (status != SPB_OK) return status;
    }
    return SPB_OK;
}

static enum spb_status copy_new(struct spb_delta *d, const struct spb_delta_new *out) {
    if (!adaptive(d, &d->models.nrep)) d->d0 = golomb(d, GOLOMB_DIST) + 1;
    uint32_t more = golomb(d, GOLOMB_LEN_NEW);
    if (d->d0 < 1 || d->d0 > d->np || more >= d->new_len - d->np) return SPB_E_PARSER_ERROR;
    d->prev = COPY_NEW;
    for (uint32_t i = 0; i <= more; i++) {
        enum spb_status status = put(d, out, out->get(out->context, d->np - d->d0));
        if (status != SPB_OK) return status;
    }
    return SPB_OK;
}

static enum spb_status operation(struct spb_delta *d, const struct spb_delta_new *out) {
    uint32_t context = d->prev != LITERAL ? 3u + d->prev : d->literals < 3 ? d->literals : 3u;
    if (!adaptive(d, &d->models.op[context])) return literal(d, out);
    bool from_new = d->old_len == 0 || adaptive(d, &d->models.space[d->prev]);
    d->literals = 0;
    return from_new ? copy_new(d, out) : copy_old(d, out);
}

void spb_delta_init(struct spb_delta *d, const uint8_t *old, uint32_t old_len, uint32_t new_len) {
    uint16_t *model = (uint16_t *)&d->models;
    memset(d, 0, sizeof *d);
    d->old = old;
    d->old_len = old_len;
    d->new_len = new_len;
    d->range = 0xFFFFFFFF;
    for (uint32_t i = 0; i < sizeof d->models / sizeof *model; i++) model[i] = EVEN << 4;
}

enum spb_status spb_delta_run(struct spb_delta *d, const struct spb_delta_new *out, const uint8_t *in, uint32_t len,
                              bool last, uint32_t *used) {
    enum spb_status status = SPB_OK;
    d->in = in;
    d->end = in + len;
    if (!d->started && (last || len >= 4)) {
        for (uint32_t i = 0; i < 4; i++) d->code = d->code << 8 | next_byte(d);
        d->started = true;
    }
    while (status == SPB_OK && d->started && d->np < d->new_len &&
           (last || (uint32_t)(d->end - d->in) >= SPB_DELTA_OP_SIZE)) {
        status = operation(d, out);
    }
    *used = (uint32_t)(d->in - in);
    if (status != SPB_OK || d->np < d->new_len) return status;
    return last && d->in == d->end ? SPB_OK : SPB_E_PARSER_ERROR;
}
