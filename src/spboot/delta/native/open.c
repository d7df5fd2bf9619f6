/* SPDX-License-Identifier: MIT */
#include "open.h"

#include <string.h>

#define SHORT_MATCH 8u          /* bytes in a row that are the same by chance */

/* Displacements and distances are far smaller than 2^31. */
static uint32_t key_of(const struct spb_copy *copy) {
    return copy->kind == SPB_OPERATION_OLD ? copy->moved : copy->moved ^ 1u << 31;
}

static void move_copy(struct spb_open *open, uint32_t to, uint32_t from) {
    if (to == from) return;
    open->copies[to] = open->copies[from];
    open->keys[to] = open->keys[from];
}

uint32_t spb_open_place(const struct spb_open *open, const struct spb_copy *fresh) {
    uint32_t i = 0, key = key_of(fresh);
    while (i < open->count && open->keys[i] != key) i++;
    if (i == open->count || (open->copies[i].price > fresh->price && open->copies[i].inside == 0)) return i;
    return SPB_OPEN_MOST;
}

void spb_open_add(struct spb_open *open, uint32_t place, const struct spb_copy *fresh, uint32_t np,
                  uint32_t len) {
    if (place == open->count) open->count++;
    else if (open->copies[place].price <= fresh->price) return;
    open->copies[place] = *fresh;
    open->copies[place].promised = len > SHORT_MATCH ? np + len : np;
    open->keys[place] = key_of(fresh);
}

/* How far does the decoder expect the target of a reference to have moved? */
static uint32_t expected_move(const struct spb_open *open, const struct spb_copy *copy,
                              const struct spb_reference *ref) {
    bool local = spb_reference_local(ref->kind);
    uint32_t moved = 0;
    if (copy->kind == SPB_OPERATION_NEW) return local ? copy->moved : 0;
    if (ref->kind == SPB_REFERENCE_SMALL || ref->kind == SPB_REFERENCE_MOVW || ref->kind == SPB_REFERENCE_DATA) return 0;
    uint32_t off = spb_pair_place(open->pair, ref->target & ~1u);
    if (off >= open->places->len) {
        moved = copy->moved;
    } else {
        const struct spb_piece *piece = spb_places_piece(open->places, off);
        moved = local && piece->moved == SPB_PLACES_NONE ? copy->moved : (uint32_t)piece->filled;
    }
    return ref->kind == SPB_REFERENCE_BL ? moved & ~1u : moved;
}

/* Bits of an instruction that its target decides, the first half-word below. */
static const uint32_t targets_bits[SPB_REFERENCE_KINDS] = {
    [SPB_REFERENCE_BL] = 0x2FFF07FF,    [SPB_REFERENCE_LDR] = 0x00FF, [SPB_REFERENCE_BCC] = 0x00FF,
    [SPB_REFERENCE_B] = 0x07FF,         [SPB_REFERENCE_CBZ] = 0x02F8, [SPB_REFERENCE_BCC_W] = 0x2FFF043F,
    [SPB_REFERENCE_LDR_W] = 0x0FFF0000, [SPB_REFERENCE_MOVW] = 0x70FF040F,
};

/* Is the same instruction, to whatever target, at np? */
static bool is_same_instruction(const struct spb_open *open, const struct spb_reference *ref, const uint8_t *bytes,
                                uint32_t np) {
    if (spb_sites_instruction(open->new_sites, np) != ref->kind + 1u) return false;
    const uint8_t *now = open->pair->new_bytes + np;
    uint32_t different = spb_load_u16(bytes) ^ spb_load_u16(now);
    if (ref->len == 4) different |= (spb_load_u16(bytes + 2) ^ spb_load_u16(now + 2)) << 16;
    return (different & ~targets_bits[ref->kind]) == 0;
}

/* Does np hold the reference, made to name target? */
static bool is_to(const struct spb_open *open, const struct spb_reference *ref, const uint8_t *bytes, uint32_t np,
                  uint32_t target) {
    if (spb_reference_word(ref->kind)) {
        uint32_t made = 0;
        return spb_reference_write(ref, &made, open->pair->base + np, target) &&
               spb_load_u32(open->pair->new_bytes + np) == made;
    }
    return open->new_sites->targets[np / 2] == target && is_same_instruction(open, ref, bytes, np);
}

/* The target of the same reference at np, when it is near enough to be told. */
static bool can_be_told(const struct spb_open *open, const struct spb_reference *ref, const uint8_t *bytes,
                        uint32_t np) {
    bool word = spb_reference_word(ref->kind);
    if (!word && !is_same_instruction(open, ref, bytes, np)) return false;
    uint32_t now = word ? spb_load_u32(open->pair->new_bytes + np) : 0;
    uint32_t target = word ? spb_sites_word_target(ref->kind, now, open->pair->base + np) : open->new_sites->targets[np / 2];
    if (ref->kind == SPB_REFERENCE_REL && now >> 31 != 0) return false;
    if (ref->kind == SPB_REFERENCE_SMALL && target >= 1u << 16) return false;
    return target - ref->target + 65535 < 131071;
}

/* Is the reference at np as predicted? */
static bool is_hit(const struct spb_open *open, const struct spb_copy *copy, const struct spb_reference *ref,
                   const uint8_t *bytes, uint32_t np, bool kept) {
    uint32_t kind = ref->kind;
    if (kind == SPB_REFERENCE_DATA || kind == SPB_REFERENCE_SMALL || kind == SPB_REFERENCE_MOVW) return kept;
    uint32_t target = ref->target + expected_move(open, copy, ref);
    if (is_to(open, ref, bytes, np, target)) return true;
    uint32_t made = 0;
    memcpy(&made, bytes, ref->len);
    return kept && !spb_reference_write(ref, &made, open->pair->base + np, target);
}

/* Price of a reference as a whole; negative: byte by byte is better. */
static spb_bits reference_price(const struct spb_open *open, const struct spb_copy *copy,
                                const struct spb_reference *ref, const uint8_t *bytes, uint32_t np, uint32_t state) {
    const struct spb_prices *prices = open->prices;
    const uint8_t *now = open->pair->new_bytes + np;
    bool kept = memcmp(bytes, now, ref->len) == 0;
    bool hit = is_hit(open, copy, ref, bytes, np, kept);
    if (hit) return copy->run >= 32 ? prices->hit[ref->kind] / 2 : prices->hit[ref->kind];
    if (kept) return prices->kept[ref->kind];
    if (copy->kind == SPB_OPERATION_NEW || !can_be_told(open, ref, bytes, np)) return -1;
    spb_bits price = prices->moved[ref->kind];
    uint32_t alike = 0;
    if (ref->kind == SPB_REFERENCE_DATA) price = price * 6 / 10;
    for (uint32_t i = 0; i < ref->len; i++) alike += bytes[i] == now[i];
    bool bytewise = ref->len == 4 && alike >= 3 &&
                    price > prices->bytewise[ref->kind] + prices->change[state][3] + SPB_BITS(600);
    return bytewise ? -1 : price;
}

static void advance_byte(const struct spb_open *open, struct spb_copy *copy, const uint8_t *source, uint32_t off,
                         uint32_t np, uint32_t state) {
    const struct spb_prices *prices = open->prices;
    uint32_t run = spb_tally_run(copy->run);
    uint8_t now = open->pair->new_bytes[np];
    if (*source == now) {
        copy->price += prices->match[state][run];
        if (copy->run < 200) copy->run++;
        if (copy->run >= 8) copy->changed = false;
    } else {
        bool class = copy->kind == SPB_OPERATION_OLD && off % 2 == 0;
        copy->price += prices->change[state][run] + prices->value[class][(uint8_t)(now - *source)];
        copy->run = 0;
        copy->changed = true;
    }
}

/* The reference that a copy has at np, if any. */
static bool find_reference(const struct spb_open *open, const struct spb_copy *copy, uint32_t np, uint32_t left,
                           struct spb_reference *ref) {
    uint32_t off = np - copy->moved, room = spb_pair_new_end(open->pair, np) - np;
    uint32_t len = left < room ? left : room;
    if ((off | np) % 2 != 0 || len < 2) return false;
    const struct spb_sites *sites = copy->kind == SPB_OPERATION_OLD ? open->old_sites : open->new_sites;
    return spb_sites_read(sites, off, len < 4 ? len : 4, (off | np) % 4 == 0, ref);
}

static uint32_t source_end(const struct spb_open *open, const struct spb_copy *copy, uint32_t np) {
    const struct spb_pair *pair = open->pair;
    uint32_t off = np - copy->moved;
    if (copy->kind == SPB_OPERATION_OLD) return spb_pair_old_end(pair, off);
    return np < pair->rest || off >= pair->rest ? np : pair->new_code;
}

uint32_t spb_open_sure(const struct spb_open *open, const struct spb_copy *copy, uint32_t np, uint32_t most) {
    const struct spb_pair *pair = open->pair;
    uint32_t from = np;
    uint32_t room = spb_pair_new_end(pair, np) - np;
    if (most > room) most = room;
    while (np - from < most) {
        uint32_t off = np - copy->moved, end = source_end(open, copy, np);
        if (off >= end) break;
        const uint8_t *source = (copy->kind == SPB_OPERATION_OLD ? pair->old_bytes : pair->new_bytes) + off;
        struct spb_reference ref;
        if (find_reference(open, copy, np, end - off, &ref)) {
            if (!is_hit(open, copy, &ref, source, np, memcmp(source, pair->new_bytes + np, ref.len) == 0)) break;
            np += ref.len;
        } else {
            if (*source != pair->new_bytes[np]) break;
            np++;
        }
    }
    return np - from;
}

/* False: its source is at its end. */
static bool advance(const struct spb_open *open, struct spb_copy *copy, uint32_t np, uint32_t *state) {
    const struct spb_pair *pair = open->pair;
    bool is_old = copy->kind == SPB_OPERATION_OLD;
    uint32_t off = np - copy->moved;
    uint32_t end = source_end(open, copy, np);
    *state = is_old ? copy->changed : 2;
    if (off >= end) return false;
    if (copy->inside > 0) {
        copy->inside--;
        return true;
    }
    const uint8_t *source = (is_old ? pair->old_bytes : pair->new_bytes) + off;
    struct spb_reference ref;
    if (find_reference(open, copy, np, end - off, &ref)) {
        spb_bits price = reference_price(open, copy, &ref, source, np, *state);
        if (price >= 0) {
            copy->price += price;
            copy->inside = (uint8_t)(ref.len - 1);
            copy->run = (uint8_t)(copy->run + ref.len > 200 ? 200 : copy->run + ref.len);
            return true;
        }
        copy->price += open->prices->bytewise[ref.kind];
    }
    advance_byte(open, copy, source, off, np, *state);
    return true;
}

void spb_open_advance(struct spb_open *open, uint32_t np) {
    bool last = np + 1 == spb_pair_new_end(open->pair, np);
    uint32_t kept = 0;
    open->best = SPB_OPEN_MOST;
    for (uint32_t i = 0; i < open->count; i++) {
        uint32_t state;
        move_copy(open, kept, i);
        struct spb_copy *copy = &open->copies[kept];
        if (!advance(open, copy, np, &state)) continue;
        if (copy->inside == 0) {
            spb_bits price = copy->price;
            if (!last) price += open->prices->end[state][spb_tally_run(copy->run)] + open->caution;
            if (open->best == SPB_OPEN_MOST || price < open->best_price) {
                open->best = kept;
                open->best_price = price;
            }
        }
        kept++;
    }
    open->count = kept;
}

const struct spb_copy *spb_open_best(const struct spb_open *open, spb_bits *price) {
    *price = open->best_price;
    return open->best == SPB_OPEN_MOST ? NULL : &open->copies[open->best];
}

void spb_open_promise(struct spb_open *open, uint32_t end) { open->copies[open->best].promised = end; }

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
    uint32_t kept = 0, most_kept = open->effort->kept;
    for (uint32_t i = 0; i < open->count; i++) {
        const struct spb_copy *copy = &open->copies[i];
        bool hopeful = copy->price < limit + open->effort->hope;
        if (hopeful || copy->inside > 0 || copy->promised > np) move_copy(open, kept++, i);
    }
    open->count = kept;
    if (kept <= most_kept) return;
    spb_bits most = price_of_rank(open, most_kept - 1);
    kept = 0;
    uint32_t cheap = 0;
    for (uint32_t i = 0; i < open->count; i++) {
        const struct spb_copy *copy = &open->copies[i];
        bool stays = copy->price <= most && cheap < most_kept;
        if (stays) cheap++;
        if (stays || copy->promised > np) move_copy(open, kept++, i);
    }
    open->count = kept;
}
