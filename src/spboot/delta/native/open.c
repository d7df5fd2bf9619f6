/* SPDX-License-Identifier: MIT */
#include "open.h"

#include <string.h>

#include "reference.h"

#define SHORT_MATCH 8u          /* bytes in a row that are the same by chance */
#define HOPE SPB_BITS(4500)     /* that a copy may cost more than the best way and still win */

void spb_open_init(struct spb_open *open, const struct spb_pair *pair, const struct spb_places *places,
                   const struct spb_prices *prices, spb_bits caution) {
    memset(open, 0, sizeof *open);
    open->pair = pair;
    open->places = places;
    open->prices = prices;
    open->caution = caution;
}

void spb_open_add(struct spb_open *open, uint32_t kind, uint32_t moved, uint32_t np, uint32_t len,
                  spb_bits price) {
    uint32_t promised = len > SHORT_MATCH ? np + len : np;
    const struct spb_copy fresh = {.kind = kind, .moved = moved, .start = np, .promised = promised, .price = price};
    for (uint32_t i = 0; i < open->count; i++) {
        struct spb_copy *copy = &open->copies[i];
        if (copy->moved != moved || copy->kind != kind) continue;
        if (copy->price > price && copy->inside == 0) *copy = fresh;
        return;
    }
    if (open->count < SPB_OPEN_MOST) open->copies[open->count++] = fresh;
}

/* How far does the decoder expect the target of a reference to have moved? */
static uint32_t expected_move(const struct spb_open *open, const struct spb_copy *copy,
                              const struct spb_reference *ref) {
    bool local = spb_reference_local(ref->kind);
    uint32_t moved = 0;
    if (copy->kind == SPB_OPERATION_NEW) return local ? copy->moved : 0;
    if (ref->kind == SPB_REFERENCE_SMALL || ref->kind == SPB_REFERENCE_MOVW || ref->kind == SPB_REFERENCE_DATA) return 0;
    uint32_t off = (ref->target & ~1u) - open->pair->base;
    int32_t known = spb_places_moved(open->places, off);
    if (known != SPB_PLACES_NONE) moved = (uint32_t)known;
    else if (local || off >= open->places->len) moved = copy->moved;
    else moved = (uint32_t)open->places->filled[off];
    return ref->kind == SPB_REFERENCE_BL ? moved & ~1u : moved;
}

/* The target of the same reference at np, when it is near enough to be told. */
static bool can_be_told(const struct spb_pair *pair, const struct spb_reference *ref, const uint8_t *bytes,
                        uint32_t np) {
    const struct spb_image_range image = {pair->base, pair->old_len};
    const uint8_t *now = pair->new_bytes + np;
    struct spb_reference there;
    uint32_t again = 0;
    uint32_t target = 0;
    if (ref->kind >= SPB_REFERENCE_CODE && ref->kind <= SPB_REFERENCE_SMALL) {
        for (uint32_t i = 4; i-- > 0;) target = target << 8 | now[i];
    } else {
        if (!spb_reference_read(&there, &image, now, ref->len, pair->base + np, false)) return false;
        if (there.kind != ref->kind) return false;
        target = there.target;
    }
    if (target - ref->target + 65535 >= 131071) return false;
    memcpy(&again, bytes, ref->len);
    return spb_reference_write(ref, &again, pair->base + np, target) && memcmp(&again, now, ref->len) == 0;
}

/* Price of a reference as a whole; negative: byte by byte is better. */
static spb_bits reference_price(const struct spb_open *open, const struct spb_copy *copy,
                                const struct spb_reference *ref, const uint8_t *bytes, uint32_t np, uint32_t state) {
    const struct spb_prices *prices = open->prices;
    const uint8_t *now = open->pair->new_bytes + np;
    bool kept = memcmp(bytes, now, ref->len) == 0, hit = kept;
    uint32_t made = 0;
    memcpy(&made, bytes, ref->len);
    uint32_t target = ref->target + expected_move(open, copy, ref);
    if (ref->kind != SPB_REFERENCE_DATA && spb_reference_write(ref, &made, open->pair->base + np, target)) {
        hit = memcmp(&made, now, ref->len) == 0;
    }
    if (hit) return copy->run >= 32 ? prices->hit[ref->kind] / 2 : prices->hit[ref->kind];
    if (kept) return prices->kept[ref->kind];
    if (copy->kind == SPB_OPERATION_NEW || !can_be_told(open->pair, ref, bytes, np)) return -1;
    spb_bits price = prices->moved[ref->kind];
    uint32_t alike = 0;
    if (ref->kind == SPB_REFERENCE_DATA) price = price * 6 / 10;
    for (uint32_t i = 0; i < ref->len; i++) alike += bytes[i] == now[i];
    bool bytewise = ref->len == 4 && alike >= 3 &&
                    price > prices->bytewise[ref->kind] + prices->change[state][3] + SPB_BITS(600);
    return bytewise ? -1 : price;
}

static uint32_t change_class(const struct spb_copy *copy, const uint8_t *source, uint32_t off, uint32_t left) {
    uint32_t opcode = left > 1 ? source[1] >> 3 : 0u;
    if (copy->kind == SPB_OPERATION_NEW || off % 2 != 0) return 0;
    if (opcode == 0x09 || opcode == 0x14 || opcode == 0x15) return 1;
    return opcode >= 0x1A && opcode <= 0x1C ? 2 : 3;
}

static void advance_byte(const struct spb_open *open, struct spb_copy *copy, const uint8_t *source, uint32_t off,
                         uint32_t left, uint32_t np, uint32_t state) {
    const struct spb_prices *prices = open->prices;
    uint32_t run = spb_tally_run(copy->run);
    uint8_t now = open->pair->new_bytes[np];
    if (*source == now) {
        copy->price += prices->match[state][run];
        if (copy->run < 200) copy->run++;
        if (copy->run >= 8) copy->changed = false;
    } else {
        uint32_t class = change_class(copy, source, off, left);
        copy->price += prices->change[state][run] + prices->value[class][(uint8_t)(now - *source)];
        copy->run = 0;
        copy->changed = true;
    }
}

/* False: its source is at its end. */
static bool advance(const struct spb_open *open, struct spb_copy *copy, uint32_t np, uint32_t *state) {
    const struct spb_pair *pair = open->pair;
    bool is_old = copy->kind == SPB_OPERATION_OLD;
    uint32_t off = np - copy->moved;
    uint32_t end = is_old ? pair->old_len : np;
    *state = is_old ? copy->changed : 2;
    if (off >= end) return false;
    if (copy->inside > 0) {
        copy->inside--;
        return true;
    }
    const uint8_t *source = (is_old ? pair->old_bytes : pair->new_bytes) + off;
    const struct spb_image_range image = {pair->base, pair->old_len};
    uint32_t left = end - off, room = pair->new_len - np;
    uint32_t len = left < room ? left : room;
    struct spb_reference ref;
    if ((off | np) % 2 == 0 && len >= 2 &&
        spb_reference_read(&ref, &image, source, len < 4 ? len : 4, pair->base + off, (off | np) % 4 == 0)) {
        spb_bits price = reference_price(open, copy, &ref, source, np, *state);
        if (price >= 0) {
            copy->price += price;
            copy->inside = (uint8_t)(ref.len - 1);
            copy->run = (uint8_t)(copy->run + ref.len > 200 ? 200 : copy->run + ref.len);
            return true;
        }
        copy->price += open->prices->bytewise[ref.kind];
    }
    advance_byte(open, copy, source, off, left, np, *state);
    return true;
}

void spb_open_advance(struct spb_open *open, uint32_t np) {
    bool last = np + 1 == open->pair->new_len;
    uint32_t kept = 0;
    open->best = SPB_OPEN_MOST;
    for (uint32_t i = 0; i < open->count; i++) {
        struct spb_copy copy = open->copies[i];
        uint32_t state;
        if (!advance(open, &copy, np, &state)) continue;
        if (copy.inside == 0) {
            spb_bits price = copy.price;
            if (!last) price += open->prices->end[state][spb_tally_run(copy.run)] + open->caution;
            if (open->best == SPB_OPEN_MOST || price < open->best_price) {
                open->best = kept;
                open->best_price = price;
            }
        }
        open->copies[kept++] = copy;
    }
    open->count = kept;
}

const struct spb_copy *spb_open_best(const struct spb_open *open, spb_bits *price) {
    *price = open->best_price;
    return open->best == SPB_OPEN_MOST ? NULL : &open->copies[open->best];
}

/* The rank-th smallest price (from 0): what stands around the middle is sorted out until rank is alone. */
static spb_bits price_of_rank(const struct spb_open *open, uint32_t rank) {
    spb_bits prices[SPB_OPEN_MOST];
    uint32_t from = 0, to = open->count;
    for (uint32_t i = 0; i < to; i++) prices[i] = open->copies[i].price;
    while (to - from > 1) {
        spb_bits pivot = prices[from + (to - from) / 2];
        uint32_t below = from, above = to;
        for (uint32_t i = from; i < above;) {
            spb_bits price = prices[i];
            if (price < pivot) {
                prices[i++] = prices[below];
                prices[below++] = price;
            } else if (price > pivot) {
                prices[i] = prices[--above];
                prices[above] = price;
            } else {
                i++;
            }
        }
        if (rank < below) to = below;
        else if (rank >= above) from = above;
        else return pivot;
    }
    return prices[from];
}

void spb_open_prune(struct spb_open *open, uint32_t np, spb_bits limit) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < open->count; i++) {
        const struct spb_copy *copy = &open->copies[i];
        if (copy->price < limit + HOPE || copy->inside > 0 || copy->promised > np) open->copies[kept++] = *copy;
    }
    open->count = kept;
    if (kept <= SPB_OPEN_KEPT) return;
    spb_bits most = price_of_rank(open, SPB_OPEN_KEPT - 1);
    kept = 0;
    uint32_t cheap = 0;
    for (uint32_t i = 0; i < open->count; i++) {
        const struct spb_copy *copy = &open->copies[i];
        bool stays = copy->price <= most && cheap < SPB_OPEN_KEPT;
        if (stays) cheap++;
        if (stays || copy->promised > np) open->copies[kept++] = *copy;
    }
    open->count = kept;
}
