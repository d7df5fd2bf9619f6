/* SPDX-License-Identifier: MIT */
#include "writer.h"

#include <stddef.h>
#include <string.h>

#include "bytes.h"
#include "sites.h"

/* The decoder, its questions answered here. */
#define spb_range_start spb_answer_start
#define spb_range_bit spb_answer_bit
#define spb_range_mixed spb_answer_mixed
#define spb_range_direct spb_answer_direct
#define spb_range_tree spb_answer_tree
#define spb_delta_init spb_writer_delta_init
#define spb_delta_run spb_writer_delta_run
#include "delta.c"

/* The models begin as those of the decoder, which unpacks them by a range decoder that answers itself. */
#undef spb_delta_init
void spb_delta_init(struct spb_delta *d, const struct spb_delta_new *out, const struct spb_delta_image *old,
                    const struct spb_delta_image *new);
#include "images.h"
/* What the decoder will ask next; the price since the last answer with a mean goes to that mean. */
struct answer {
    uint32_t value;
    struct spb_mean *mean, *all;
};

struct writer {
    struct spb_delta d;
    const struct spb_pair *pair;
    struct spb_sender *s;
    struct spb_tally *tally;
    const struct spb_operation *op, *end;
    uint32_t left;              /* bytes of op to come */
    struct answer answers[16];
    uint32_t asked, prepared;
    spb_bits mark;
    bool wrong;
};

static uint32_t place(const struct writer *w, uint32_t at) { return spb_images_place(w->pair, at); }

static uint32_t position(const struct writer *w, uint32_t at) { return spb_images_position(w->pair, at); }

/* What comes. */
static const uint8_t *now_at(const struct writer *w) { return w->pair->new_bytes + place(w, w->d.np); }

/* --- answers --- */

static const struct answer *answer(struct writer *w) {
    static const struct answer none;
    if (w->asked == w->prepared) w->wrong = true;
    return w->wrong ? &none : &w->answers[w->asked++];
}

static uint32_t sent(struct writer *w, const struct answer *a) {
    if (a->mean == NULL) return a->value;
    spb_mean_add(a->mean, w->s->spent - w->mark);
    if (a->all != NULL) spb_mean_add(a->all, w->s->spent - w->mark);
    w->mark = w->s->spent;
    return a->value;
}

static struct writer *writer_of(struct spb_range *range) {
    return (struct writer *)((char *)range - offsetof(struct writer, d.range));
}

void spb_answer_start(struct spb_range *range) { (void)range; }

uint32_t spb_answer_mixed(struct spb_range *range, uint32_t one, uint32_t other) {
    struct writer *w = writer_of(range);
    const struct answer *a = answer(w);
    spb_sender_mixed(w->s, range->models + one, range->models + other, a->value);
    return sent(w, a);
}

uint32_t spb_answer_bit(struct spb_range *range, uint32_t model) { return spb_answer_mixed(range, model, model); }

uint32_t spb_answer_direct(struct spb_range *range, uint32_t bits) {
    struct writer *w = writer_of(range);
    const struct answer *a = answer(w);
    spb_sender_direct(w->s, a->value, bits);
    return sent(w, a);
}

uint32_t spb_answer_tree(struct spb_range *range, uint32_t first, uint32_t bits) {
    struct writer *w = writer_of(range);
    const struct answer *a = answer(w);
    spb_sender_tree(w->s, range->models + first, a->value, bits);
    return sent(w, a);
}

static void say(struct writer *w, uint32_t value) {
    w->answers[w->prepared++] = (struct answer){value, NULL, NULL};
}

static void say_golomb(struct writer *w, uint32_t value) {
    uint32_t u = value + 1;
    uint32_t e = bits_for(u) - 1;
    uint32_t low = e < 2 ? e : 2;
    say(w, e);
    say(w, (u >> low) - (1u << (e - low)));
    while (low-- > 0) say(w, u >> low & 1);
}

static void say_signed(struct writer *w, int32_t value) {
    say(w, value < 0);
    say_golomb(w, value < 0 ? ~(uint32_t)value : (uint32_t)value - 1);
}

static void group(struct writer *w, struct spb_mean *mean, struct spb_mean *all) {
    w->answers[w->prepared - 1].mean = mean;
    w->answers[w->prepared - 1].all = all;
}

/* --- between copies --- */

static void prepare_literal(struct writer *w) {
    uint32_t byte = *now_at(w);
    say(w, 0);
    group(w, &w->tally->is_literal, NULL);
    say(w, byte >> 4);
    say(w, byte & 15);
    group(w, &w->tally->literal[w->d.np % 2][byte], &w->tally->all_literals);
}

static struct spb_mean *prepare_displacement(struct writer *w, uint32_t from) {
    const struct spb_delta *d = &w->d;
    uint32_t moved = d->np - from;
    int32_t step = (int32_t)(moved - d->r0);
    say(w, step == 0);
    if (step == 0) return &w->tally->same[d->literals > 0];
    bool mapped = moved == spb_moves_nearest(&d->moves, d->np, d->r0);
    say(w, mapped);
    if (mapped) return &w->tally->mapped;
    bool near = step > -4096 && step < 4096;
    say(w, near);
    if (near) {
        say_signed(w, step);
        return &w->tally->near[bits_for((uint32_t)(step < 0 ? -step : step))];
    }
    uint32_t index = in_rest(from) ? from - SPB_DELTA_REST + d->image.size : from;
    say(w, index >> 1);
    say(w, index & 1);
    return &w->tally->far;
}

static void prepare_copy(struct writer *w) {
    const struct spb_delta *d = &w->d;
    struct spb_mean *mean = NULL;
    bool from_old = w->op->kind == SPB_OPERATION_OLD;
    say(w, 1);
    group(w, &w->tally->is_copy[d->before != NONE], NULL);
    if (has_old(d)) say(w, !from_old);
    if (w->op->kind == SPB_OPERATION_STORED) return;
    if (!from_old) {
        uint32_t distance = d->np - position(w, w->op->source);
        bool again = distance == d->distance;
        say(w, again);
        if (!again) say_golomb(w, distance - 1);
        mean = again ? &w->tally->again : &w->tally->distance[bits_for(distance)];
    } else {
        mean = prepare_displacement(w, position(w, w->op->source));
    }
    group(w, mean, NULL);
}

/* --- inside a copy --- */

/* The operations end this copy here. */
static bool ends(const struct writer *w, const struct spb_operation *op, uint32_t left, uint32_t from) {
    return op->kind != w->d.copying || op->source + (op->len - left) != place(w, from);
}

/* Where does the same reference, in NEW, point to? */
static bool target_of(const struct writer *w, const struct spb_reference *ref, const uint8_t *bytes, uint32_t *target) {
    const struct spb_pair *pair = w->pair;
    const struct spb_image_range image = spb_sites_image(pair);
    const uint8_t *now = now_at(w);
    uint32_t np = w->d.np;
    struct spb_reference there;
    uint32_t again = 0;
    if (spb_reference_word(ref->kind)) {
        *target = spb_sites_word_target(ref->kind, spb_load_u32(now), pair->base + np);
    } else {
        if (!spb_reference_read(&there, &image, now, ref->len, pair->base + np, false) || there.kind != ref->kind) {
            return false;
        }
        *target = there.target;
    }
    memcpy(&again, bytes, ref->len);
    return spb_reference_write(ref, &again, pair->base + np, *target) && memcmp(&again, now, ref->len) == 0;
}

enum way { HIT, KEPT, BYTEWISE, SECOND, TOLD };

static bool makes(const struct writer *w, const struct spb_reference *ref, const uint8_t *bytes, uint32_t moved) {
    uint32_t made = 0;
    memcpy(&made, bytes, ref->len);
    bool reached = spb_reference_write(ref, &made, w->pair->base + w->d.np, ref->target + moved);
    return reached && memcmp(&made, now_at(w), ref->len) == 0;
}

/* A far jump of which two bytes stayed, or a short one of which three stayed, is cheaper byte by byte. */
static bool worth_telling(const struct spb_reference *ref, const uint8_t *bytes, const uint8_t *now, int32_t step) {
    uint32_t alike = 0;
    uint32_t far = step < 0 ? 0u - (uint32_t)step : (uint32_t)step;
    for (uint32_t i = 0; i < ref->len; i++) alike += bytes[i] == now[i];
    return ref->len == 2 || !((alike >= 2 && far > 65536) || (alike >= 3 && far > 512));
}

static enum way way_of(const struct writer *w, const struct spb_reference *ref, const uint8_t *bytes,
                       const struct spb_moves_guess *g, int32_t *step) {
    const uint8_t *now = now_at(w);
    uint32_t guessed = 0;
    uint32_t target;
    memcpy(&guessed, bytes, ref->len);
    bool reached = spb_reference_write(ref, &guessed, w->pair->base + w->d.np, ref->target + g->first);
    if (ends(w, w->op, w->left, source(&w->d)) || w->left < ref->len) return BYTEWISE;
    if (memcmp(&guessed, now, ref->len) == 0) return HIT;
    if (memcmp(bytes, now, ref->len) == 0) return KEPT;
    if (w->d.copying == OLD && makes(w, ref, bytes, g->second)) return SECOND;
    if (!reached || !target_of(w, ref, bytes, &target)) return BYTEWISE;
    uint32_t moved = target - ref->target;
    bool word = ref->kind == SPB_REFERENCE_CODE || ref->kind == SPB_REFERENCE_DATA;
    if (word && moved + (1u << 20) > 1u << 21) return BYTEWISE;
    *step = (int32_t)(moved - g->first);
    if (*step % (int32_t)spb_reference_unit(ref->kind) != 0) return BYTEWISE;
    return worth_telling(ref, bytes, now, *step) ? TOLD : BYTEWISE;
}

static enum way prepare_reference(struct writer *w, const struct spb_reference *ref, const uint8_t *bytes) {
    struct spb_tally *t = w->tally;
    struct spb_moves_guess g = guess(&w->d, ref, reference_key(&w->d, ref));
    int32_t step = 0;
    enum way way = way_of(w, ref, bytes, &g, &step);
    if (w->d.np < w->d.sure_end) {
        spb_mean_add(&t->hit[ref->kind], 0);
        return HIT;
    }
    struct spb_mean *means[] = {t->hit, t->kept, t->bytewise, t->moved};
    enum way last = way < SECOND ? way : SECOND;
    for (uint32_t each = HIT; each <= last; each++) say(w, way == each);
    if (way == TOLD) say_signed(w, step / (int32_t)spb_reference_unit(ref->kind));
    group(w, &means[last][ref->kind], NULL);
    return way;
}

static void prepare_byte(struct writer *w, const uint8_t *bytes) {
    const struct spb_delta *d = &w->d;
    struct spb_tally *t = w->tally;
    uint32_t state = d->copying == NEW ? 2 : changed(d);
    uint32_t length = spb_tally_run(run(d));
    bool end = ends(w, w->op, w->left, source(d));
    if (d->np < d->sure_end) {
        spb_mean_add(&t->match[state][length], 0);
        return;
    }
    bool match = !end && bytes[0] == *now_at(w);
    say(w, !match);
    if (match) {
        group(w, &t->match[state][length], NULL);
        return;
    }
    say(w, end);
    group(w, end ? &t->end[state][length] : &t->change[state][length], NULL);
    if (end) return;
    uint8_t change = (uint8_t)(*now_at(w) - bytes[0]);
    say(w, change >> 4);
    say(w, change & 15);
    group(w, &t->value[change_class(d)][change], &t->all_values);
}

/* How many bytes from here come as predicted?  Looks ahead with a decoder that learns nothing. */
static uint32_t sure_bytes(const struct writer *w) {
    struct writer ahead = *w;
    struct spb_delta *d = &ahead.d;
    while (d->np < part_end(d) && left(d, d->copying == OLD) > 0) {
        struct spb_reference ref;
        uint8_t buffer[4];
        const uint8_t *bytes;
        uint32_t len = window(d, buffer, &bytes);
        while (ahead.left == 0 && ++ahead.op != w->end) ahead.left = ahead.op->len;
        if (ahead.op == w->end || ends(&ahead, ahead.op, ahead.left, source(d))) break;
        uint32_t step = 1;
        uint32_t room = may_refer(d, len);
        if (room >= 2 && refers(d, &ref, bytes, room)) {
            uint32_t word = 0;
            struct spb_moves_guess g = guess(d, &ref, reference_key(d, &ref));
            memcpy(&word, bytes, ref.len);
            (void)spb_reference_write(&ref, &word, w->pair->base + d->np, ref.target + g.first);
            memcpy(buffer, &word, ref.len);
            bytes = buffer;
            step = ref.len;
        }
        if (ahead.left < step || memcmp(bytes, now_at(&ahead), step) != 0) break;
        d->np += step;
        ahead.left -= step;
    }
    return d->np - w->d.np;
}

/* How many bytes from here are as in the source? */
static uint32_t kept_bytes(const struct writer *w) {
    const uint8_t *bytes = w->d.copying == OLD ? w->pair->old_bytes : w->pair->new_bytes, *now = now_at(w);
    uint32_t from = source(&w->d), len = 0;
    bytes += place(w, from);
    while (!ends(w, w->op, w->left, from) && len < w->left && bytes[len] == now[len]) len++;
    return len;
}

static void prepare_announcement(struct writer *w) {
    uint32_t sure = sure_bytes(w) / SPB_DELTA_SURE_UNIT;
    uint32_t kept = kept_bytes(w) / SPB_DELTA_SURE_UNIT;
    bool stays = w->d.moved == 0 && kept > 0;         /* with that the chip is quicker */
    bool as_it_is = kept > sure || (stays && kept == sure);
    say_golomb(w, as_it_is ? kept : sure);
    if (as_it_is || sure > 0) say(w, as_it_is);
}

static void prepare(struct writer *w) {
    struct spb_delta *d = &w->d;
    struct spb_reference ref;
    uint8_t buffer[4];
    const uint8_t *bytes;
    w->asked = w->prepared = 0;
    if (d->copying == NONE) {
        if (w->op->kind == SPB_OPERATION_LITERAL) prepare_literal(w);
        else prepare_copy(w);
    } else if (d->copying == STORED) {
        say(w, *now_at(w));
    } else if (left(d, d->copying == OLD) == 0) {
        return;
    } else if (d->np >= d->ask_at) {
        prepare_announcement(w);
    } else {
        uint32_t len = window(d, buffer, &bytes);
        uint32_t room = may_refer(d, len);
        if (room >= 2 && refers(d, &ref, bytes, room)) {
            if (prepare_reference(w, &ref, bytes) != BYTEWISE) return;
        }
        prepare_byte(w, bytes);
    }
}

static void advance(struct writer *w, uint32_t len) {
    while (len > 0 && w->op != w->end) {
        uint32_t part = len < w->left ? len : w->left;
        len -= part;
        w->left -= part;
        if (w->left == 0 && ++w->op != w->end) w->left = w->op->len;
    }
}

static enum spb_status put_nothing(struct spb_delta *d, uint8_t byte) {
    struct writer *w = writer_of(&d->range);
    if (now_at(w)[-1] != byte) w->wrong = true;
    return SPB_OK;
}

static uint32_t same_nothing(struct spb_delta *d, uint32_t most) {
    (void)d;
    return most;
}

static uint8_t get_new(struct spb_delta *d, uint32_t off) {
    const struct writer *w = (const struct writer *)((const char *)d - offsetof(struct writer, d));
    return w->pair->new_bytes[place(w, off)];
}

uint32_t spb_writer_models(void) { return SPB_DELTA_MODELS; }

bool spb_writer_run(const struct spb_pair *pair, const struct spb_operations *operations, struct spb_sender *s,
                    uint32_t (*counts)[2], struct spb_tally *tally) {
    struct writer w = {.pair = pair, .s = s, .tally = tally, .op = operations->list};
    w.end = w.op + operations->count;
    if (operations->count > 0) w.left = w.op->len;
    const struct spb_delta_new out = {put_nothing, get_new, same_nothing};
    const struct spb_delta_image old = spb_images_old(pair), new = spb_images_new(pair);
    spb_delta_init(&w.d, &out, &old, &new);
    spb_sender_init(s, (const uint16_t *)&w.d.models, counts);
    w.d.image.base = pair->base;
    w.d.image.rest_base = pair->rest_base;
    if (has_old(&w.d)) spb_sender_direct(s, pair->base >> 8, 24);
    for (;;) {
        uint32_t np = place(&w, w.d.np);
        if (!more(&w.d)) break;
        if (place(&w, w.d.np) != np) advance(&w, place(&w, w.d.np) - np);
        np = place(&w, w.d.np);
        if (w.op == w.end || w.wrong || s->failed) return false;
        w.mark = s->spent;
        prepare(&w);
        if (step(&w.d) != SPB_OK || w.asked != w.prepared) return false;
        advance(&w, place(&w, w.d.np) - np);
    }
    return !w.wrong && !s->failed;
}
