/* SPDX-License-Identifier: MIT */
#include "delta.h"

#include <stddef.h>
#include <string.h>

#include "bytes.h"
#include "position.h"
#include "prior.h"

enum space { NONE, OLD, NEW, STORED };
enum golomb { NEAR, BRANCH, POINTER, OTHER, SURE, DISTANCE };

#define PROVEN 8u               /* bytes in a row that a copy had right */
#define NEVER UINT32_MAX
#define LITERAL_NEEDS 2u        /* bytes before it */
/* The number of a model, by the name and the indexes it has: compilers count elements better than bytes. */
#define MODEL(name) ((uint32_t)(offsetof(struct spb_delta_models, name) / sizeof(uint16_t)))
#define MODEL_1(array, i) (MODEL(array) + (uint32_t)(&d->models.array[i] - &d->models.array[0]))
#define MODEL_2(array, i, j) (MODEL(array) + (uint32_t)(&d->models.array[i][j] - &d->models.array[0][0]))
#define MODEL_3(array, i, j, k) (MODEL(array) + (uint32_t)(&d->models.array[i][j][k] - &d->models.array[0][0][0]))
#define BIT(model) spb_range_bit(&d->range, model)

/* The two lowest bits of the number learn, the others below its leading 1 do not. */
static uint32_t golomb(struct spb_delta *d, enum golomb g) {
    uint32_t e = spb_range_tree(&d->range, MODEL_2(exponent, g, 0), 5);
    uint32_t i = e < 2 ? e : 2;
    uint32_t u = 1u << (e - i) | spb_range_direct(&d->range, e - i);
    while (i-- > 0) u = u << 1 | BIT(MODEL_2(mantissa, g, 2 * (i == 0) + (e > 3)));
    return u - 1;
}

static uint32_t signed_golomb(struct spb_delta *d, enum golomb g) {
    bool down = BIT(MODEL_1(sign, g));
    uint32_t more = golomb(d, g);
    return down ? ~more : more + 1;
}

static enum spb_status put(struct spb_delta *d, uint32_t byte) {
    d->last[1] = d->last[0];
    d->last[0] = (uint8_t)byte;
    d->np++;
    return d->out->put(d, (uint8_t)byte);
}

static enum spb_status literal(struct spb_delta *d) {
    uint32_t high = spb_range_tree(&d->range, MODEL_3(literal_high, d->np & 1, d->last[1] >> 6, 0), 4);
    uint32_t low = spb_range_tree(&d->range, MODEL_2(literal_low, high, 0), 4);
    if (d->literals < 3) d->literals++;
    return put(d, high << 4 | low);
}

/* --- where a copy starts --- */

static uint32_t bits_for(uint32_t value) {
    uint32_t bits = 0;
    while (value >> bits != 0) bits++;
    return bits;
}

/* The displacement np - source of a copy from OLD. */
static uint32_t displacement(struct spb_delta *d) {
    if (BIT(MODEL_1(same, d->literals == 0))) return d->r0;
    if (BIT(MODEL(mapped))) return spb_moves_nearest(&d->moves, d->np, d->r0);
    if (BIT(MODEL(near))) return d->r0 + signed_golomb(d, NEAR);
    uint32_t size = d->image.size;
#if SPB_PARTS > 1
    size += d->image.rest_size;
#endif
    uint32_t source = spb_range_direct(&d->range, bits_for(size) - 1) << 1;
    source |= BIT(MODEL(low));
    if (SPB_PARTS > 1 && source >= d->image.size) source += SPB_DELTA_REST - d->image.size;
    return d->np - source;
}

static void start_old(struct spb_delta *d) {
    d->r0 = d->moved = displacement(d);
    d->pending = position_key(source(d));
}

static void surprise(struct spb_delta *d) { d->ask_at = d->np + SPB_DELTA_CALM; }

static bool has_old(const struct spb_delta *d) {
#if SPB_PARTS > 1
    if (d->image.rest_size > 0) return true;
#endif
    return d->image.size > 0;
}

static enum spb_status start_copy(struct spb_delta *d) {
    bool from_new = !has_old(d) || BIT(MODEL_1(space, d->before != NONE));
    if (from_new && (d->np == 0 || (SPB_PARTS > 1 && d->np == SPB_DELTA_REST))) {   /* the part comes as it is */
        d->copying = STORED;
        return SPB_OK;
    }
    d->pending = SPB_MOVES_NO_KEY;
    if (from_new) {
        if (!BIT(MODEL(again))) d->distance = golomb(d, DISTANCE) + 1;
        d->moved = d->distance;
    } else {
        start_old(d);
    }
    if (source(d) >= source_end(d, !from_new)) return SPB_E_PARSER_ERROR;
    d->copying = from_new ? NEW : OLD;
    d->run_from = d->np;
    d->literals = d->run_bits = 0;
    d->skip_end = d->changed_end = d->sure_end = 0;
    surprise(d);
    return SPB_OK;
}

/* --- inside a copy --- */

static uint32_t run(const struct spb_delta *d) { return d->np - d->run_from; }

static bool changed(const struct spb_delta *d) { return d->np < d->changed_end; }

static enum spb_status copied(struct spb_delta *d, const uint8_t *bytes, uint32_t len) {
    enum spb_status status;
    if (d->pending != SPB_MOVES_NO_KEY && run(d) >= PROVEN) {
        spb_moves_put(&d->moves, d->pending, d->moved);
        d->pending = SPB_MOVES_NO_KEY;
    }
    do {
        status = put(d, *bytes++);
    } while (--len > 0 && status == SPB_OK);
    return status;
}

static uint32_t reference_key(const struct spb_delta *d, const struct spb_reference *ref) {
    uint32_t place = place_key(ref->target);
    if (ref->kind == SPB_REFERENCE_DATA) return 1u << KEY_BITS | place;
    if (ref->kind == SPB_REFERENCE_SMALL || ref->kind == SPB_REFERENCE_MOVW) return 2u << KEY_BITS | place;
#if SPB_PARTS > 1
    if (spb_reference_rest(&d->image, ref->target)) return rest_key(ref->target - d->image.rest_base);
#endif
    return place_key(ref->target - d->image.base);
}

/* Does NEW at target + moved begin like OLD at target?  1 yes, -1 no, 0 not to be seen yet. */
static int looks_alike(struct spb_delta *d, uint32_t target, uint32_t moved) {
    uint32_t from = (target & ~1u) - d->image.base;
    uint32_t to = from + moved;
    uint32_t end = in_rest(d->np) ? d->new_len[0] : d->np;
    if (from >= d->image.size || d->image.size - from < 4 || to >= end || end - to < 4) return 0;
    for (uint32_t i = 0; i < 4; i++) {
        if (d->old[0][from + i] != d->out->get(d, to + i)) return -1;
    }
    return 1;
}

static struct spb_moves_guess guess(struct spb_delta *d, const struct spb_reference *ref, uint32_t key) {
    struct spb_moves_guess g = {0, 0, SPB_MOVES_FAR};
    bool local = spb_reference_local(ref->kind);
    if (d->copying == NEW) {
        if (local) g.first = g.second = d->moved;
    } else {
        bool code = key >> KEY_BITS == 0;
        uint32_t here = position_key(source(d));
        g = spb_moves_find(&d->moves, key, (here ^ key) >> KEY_BITS == 0 ? here : SPB_MOVES_NO_KEY, d->moved);
        if (code && !local && g.first != g.second &&
            looks_alike(d, ref->target, g.first) < 0 && looks_alike(d, ref->target, g.second) > 0) {
            uint32_t other = g.first;
            g.first = g.second;
            g.second = other;
            g.class = SPB_MOVES_NEAR;
        }
    }
    if (ref->kind == SPB_REFERENCE_BL) {
        g.first &= ~1u;
        g.second &= ~1u;
    }
    return g;
}

static bool as_guessed(struct spb_delta *d, uint32_t kind, enum spb_moves_class class) {
    if (d->np < d->sure_end) return true;
    bool hit = d->copying == NEW ? BIT(MODEL_1(ref_new, kind)) : BIT(MODEL_3(ref, kind, class, d->missed[kind]));
    d->missed[kind] = !hit;
    return hit;
}

static enum golomb golomb_of(uint32_t kind) {
    if (kind == SPB_REFERENCE_BL) return BRANCH;
    return kind <= SPB_REFERENCE_DATA ? POINTER : OTHER;
}

/* A reference in the copied bytes: retarget it as guessed, as it was, or as the stream says.  *done is false when the
 * stream has it byte by byte.  Not inlined: most steps do without it, and their registers stay theirs. */
__attribute__((noinline)) static enum spb_status reference(struct spb_delta *d, const struct spb_reference *ref,
                                                           const uint8_t *now, bool *done) {
    uint32_t word = 0;
    const uint8_t *bytes = (const uint8_t *)&word;
    uint32_t at = d->image.base + d->np;
    uint32_t key = reference_key(d, ref);
    struct spb_moves_guess g = guess(d, ref, key);
    *done = true;
    memcpy(&word, now, ref->len);
    if (as_guessed(d, ref->kind, g.class)) {
        (void)spb_reference_write(ref, &word, at, ref->target + g.first);
        return copied(d, bytes, ref->len);
    }
    uint32_t moved, missed = MODEL_2(missed, ref->kind, 0);
    if (BIT(missed)) {
        moved = ref->kind <= SPB_REFERENCE_REL || spb_reference_local(ref->kind) ? d->moved : 0;
    } else if (BIT(missed + 1)) {
        surprise(d);
        d->skip_end = d->np + ref->len;
        *done = false;
        return SPB_OK;
    } else {
        moved = g.second;
        if (!BIT(missed + 2)) {
            moved = g.first + signed_golomb(d, golomb_of(ref->kind)) * spb_reference_unit(ref->kind);
        }
        if (!spb_reference_write(ref, &word, at, ref->target + moved)) return SPB_E_PARSER_ERROR;
    }
    if (d->copying == OLD) spb_moves_put(&d->moves, key, moved);
    surprise(d);
    return copied(d, bytes, ref->len);
}

/* The low byte of an instruction differs from OLD in other ways than bytes of which nothing is known. */
static bool change_class(const struct spb_delta *d) { return d->copying == OLD && source(d) % 2 == 0; }

/* The copied byte is not what comes: the copy ends here, or goes on behind another byte. */
static enum spb_status mismatch(struct spb_delta *d, uint32_t byte) {
    uint32_t right = run(d);
    uint32_t level = right >= 4;
    if (BIT(MODEL_2(end, d->copying == NEW ? 2 : changed(d), level))) {
        bool fresh = right == 0 && !changed(d);
        d->before = d->copying;
        d->copying = NONE;
        return fresh ? SPB_E_PARSER_ERROR : SPB_OK;
    }
    bool class = change_class(d);
    uint32_t high = spb_range_tree(&d->range, MODEL_2(change_high, class, 0), 4);
    uint32_t part = high == 0 ? 0 : high == 15 ? 1 : 2;
    uint32_t low = spb_range_tree(&d->range, MODEL_3(change_low, class, part, 0), 4);
    enum spb_status status = put(d, byte + (high << 4 | low));
    surprise(d);
    d->run_from = d->np;
    d->run_bits = 0;
    d->changed_end = d->np + PROVEN;
    return status;
}

static enum spb_status one_byte(struct spb_delta *d, const uint8_t *bytes, uint32_t len) {
    bool odd = source(d) % 2 != 0;
    uint32_t opcode = (odd ? bytes[0] : len > 1 ? bytes[1] : 0u) >> 3;
    if (d->np >= d->sure_end) {
        uint32_t state = d->copying == NEW ? 2 : changed(d);
        while (d->run_bits < 7 && run(d) >> d->run_bits != 0) d->run_bits++;
        if (spb_range_mixed(&d->range, MODEL_3(flag, state, d->run_bits, d->np % 2),
                            MODEL_3(opcode, odd, opcode, run(d) >= PROVEN))) {
            return mismatch(d, bytes[0]);
        }
    }
    return copied(d, bytes, 1);
}

/* What the copy goes on with: up to four bytes at its source, in OLD or in buffer. */
static uint32_t window(struct spb_delta *d, uint8_t buffer[4], const uint8_t **bytes) {
    uint32_t at = source(d);
    uint32_t len = left(d, d->copying == OLD);
    if (len > 4) len = 4;
    *bytes = d->copying == OLD ? old_at(d, at) : buffer;
    for (uint32_t i = 0; i < len && *bytes == buffer; i++) buffer[i] = d->out->get(d, at + i);
    return len;
}

/* How many of the len bytes of the window a reference may have; fewer than 2: none may begin here. */
static uint32_t may_refer(const struct spb_delta *d, uint32_t len) {
    uint32_t room = part_end(d) - d->np;
    if (d->np < d->skip_end || (source(d) | d->np) % 2 != 0) return 0;
    return len < room ? len : room;
}

/* Is there one in so many bytes? */
static bool refers(const struct spb_delta *d, struct spb_reference *ref, const uint8_t *bytes, uint32_t len) {
    uint32_t at = source(d);
    if (in_rest(d->np)) return len == 4 && (at | d->np) % 4 == 0 && spb_reference_read_rest(ref, &d->image, spb_load_u32(bytes));
    return spb_reference_read(ref, &d->image, bytes, len, d->image.base + at, (at | d->np) % 4 == 0);
}

static enum spb_status go_on(struct spb_delta *d) {
    struct spb_reference ref;
    uint8_t buffer[4];
    const uint8_t *bytes;
    uint32_t len = window(d, buffer, &bytes);
    uint32_t room = may_refer(d, len);
    if (room >= 2) {
        if (refers(d, &ref, bytes, room)) {
            bool done;
            enum spb_status status = reference(d, &ref, bytes, &done);
            if (done) return status;
        } else if (d->np + 2 <= d->sure_end) {
            return copied(d, bytes, 2);
        }
    }
    return one_byte(d, bytes, len);
}

/* --- steps --- */

/* Up to end NEW is as its source: references too. */
static enum spb_status as_it_is(struct spb_delta *d, uint32_t end) {
    enum spb_status status = SPB_OK;
    while (status == SPB_OK && d->np < end) {
        uint32_t most = end - d->np, taken = 0;
        if (d->moved == 0 && most > LITERAL_NEEDS) taken = d->out->same(d, most - LITERAL_NEEDS);
        d->np += taken;
        if (taken == 0) status = put(d, d->copying == OLD ? *old_at(d, source(d)) : d->out->get(d, source(d)));
    }
    surprise(d);
    return status;
}

static enum spb_status announce(struct spb_delta *d) {
    uint32_t units = golomb(d, SURE);
    uint32_t room = part_end(d) - d->np;
    bool ends = d->copying == OLD || in_rest(source(d)) != in_rest(d->np);      /* its source, before the part */
    if (ends && left(d, d->copying == OLD) < room) room = left(d, d->copying == OLD);
    if (units > room / SPB_DELTA_SURE_UNIT) return SPB_E_PARSER_ERROR;
    uint32_t end = d->np + units * SPB_DELTA_SURE_UNIT;
    d->ask_at = NEVER;
    if (units > 0 && BIT(MODEL(as_it_is))) return as_it_is(d, end);
    d->sure_end = end;
    return SPB_OK;
}

static enum spb_status step(struct spb_delta *d) {
    if (d->copying == NONE) {
        if (BIT(MODEL_1(op, d->literals + (d->before == NONE ? 0 : 4)))) return start_copy(d);
        return literal(d);
    }
    if ((SPB_PARTS > 1 || d->copying == OLD) && d->copying != STORED && left(d, d->copying == OLD) == 0) {
        d->copying = d->before = NONE;
        return SPB_OK;
    }
    if (d->copying == STORED) return put(d, spb_range_direct(&d->range, 8));
    if (d->np >= d->ask_at) return announce(d);
    return go_on(d);
}

void spb_delta_init(struct spb_delta *d, const struct spb_delta_new *out, const struct spb_delta_image *old,
                    const struct spb_delta_image *new) {
    uint16_t *models = (uint16_t *)&d->models;
    _Static_assert(sizeof d->models == SPB_DELTA_MODELS * sizeof *models, "as many models as the specification has");
    memset(d, 0, sizeof *d);
    d->out = out;
    for (uint32_t i = 0; i < SPB_PARTS; i++) {
        uint32_t first = i * SPB_DELTA_REST;
        d->old[i] = (const uint8_t *)((uintptr_t)old->part[i].at - first);
        d->new_len[i] = first + new->part[i].len;
    }
    d->image.size = old->part[0].len;
#if SPB_PARTS > 1
    d->image.rest_base = SPB_REST_ADDRESS;
    d->image.rest_size = old->part[1].len;
#endif
    d->range.models = models;
    spb_prior_unpack(models);
}

/* Is there a byte of NEW to come?  At the end of the first part the second begins. */
static bool more(struct spb_delta *d) {
    if (d->np < part_end(d)) return true;
    if (SPB_PARTS == 1 || in_rest(d->np) || d->new_len[SPB_PARTS - 1] == SPB_DELTA_REST) return false;
    d->np = SPB_DELTA_REST;
    d->r0 = 0;
    d->copying = d->before = NONE;
    return true;
}

/* Steps, each begun while at least so much of the stream is left as one may read.  Not inlined, so that one pushing of
 * registers does for many steps. */
__attribute__((noinline)) static enum spb_status steps(struct spb_delta *d, const uint8_t *limit) {
    enum spb_status status = SPB_OK;
    while (status == SPB_OK && more(d) && d->range.in <= limit) status = step(d);
    return status;
}

enum spb_status spb_delta_run(struct spb_delta *d, const uint8_t *in, uint32_t len,
                              bool last, uint32_t *used) {
    enum spb_status status = SPB_OK;
    d->range.in = in;
    d->range.end = in + len;
    if (last || len >= SPB_DELTA_STEP_SIZE) {
        if (!d->started) {
            spb_range_start(&d->range);
            if (has_old(d)) d->image.base = spb_range_direct(&d->range, 24) << 8;
            d->started = true;
        }
        status = steps(d, last ? d->range.end : d->range.end - SPB_DELTA_STEP_SIZE);
    }
    *used = (uint32_t)(d->range.in - in);
    if (status != SPB_OK || more(d)) return status;
    return last && d->range.in == d->range.end ? SPB_OK : SPB_E_PARSER_ERROR;
}
