/* SPDX-License-Identifier: MIT */
#include "parse.h"

#include <stdlib.h>
#include <string.h>

#include "open.h"

#define TICK 16384u     /* positions between two calls of progress */

#define CALM_RUN 16u    /* bytes in a row that were as predicted, ... */
#define CALM_AHEAD 96u  /* ... and that will be, in a calm stretch; */
#define CALM_BACK 16u   /* the last of these are looked at with care again */
#define FAR 65536u      /* looked ahead at most */

/* The cheapest way to a position: its last operation, and the way before that. */
struct way {
    uint32_t from : 30, kind : 2;
    uint32_t at, moved;             /* the position; displacement of a copy */
};

struct parse {
    const struct spb_parse_input *in;
    struct way *ways;               /* those to the positions that were looked at */
    uint32_t way, next_way;         /* of them, those to np and the position behind */
    spb_bits here, next;            /* their prices, */
    struct spb_memory memory, next_memory;  /* and what the decoder remembers then */
    struct spb_open open;
    size_t before;                  /* operation of the parse before at np, */
    uint32_t before_end;            /* and where it ends */
    uint32_t surprise;              /* nothing before it is worth looking for a calm stretch */
};

static spb_bits least(spb_bits a, spb_bits b) { return a < b ? a : b; }

static spb_bits displacement_price(const struct parse *p, uint32_t np, uint32_t moved) {
    const struct spb_prices *prices = p->in->prices;
    if (moved == p->memory.r0) return prices->same;
    int32_t step = (int32_t)(moved - p->memory.r0);
    uint32_t far = step < 0 ? 0u - (uint32_t)step : (uint32_t)step;
    spb_bits price = far < 4096 ? prices->near[spb_bits_for(far)] : prices->far;
    if (spb_places_moved(p->in->places, np - moved) == (int32_t)moved) {
        price = least(price, prices->mapped + SPB_BITS(150));
    }
    return price;
}

static void offer(struct parse *p, uint32_t np, uint32_t kind, uint32_t source, uint32_t len) {
    const struct spb_prices *prices = p->in->prices;
    uint32_t moved = np - source;
    const struct spb_pair *pair = p->in->pair;
    if (kind == SPB_OPERATION_NEW && (np == pair->rest || source >= np || (np > pair->rest && source < pair->rest && source >= pair->new_code))) return;
    if (kind == SPB_OPERATION_OLD && (source >= pair->old_len || source >= spb_pair_old_end(pair, source))) return;
    struct spb_copy fresh = {.kind = kind, .moved = moved, .way = p->way, .memory = p->memory,
                             .price = p->here + prices->is_copy};
    uint32_t place = spb_open_place(&p->open, &fresh);
    if (place == SPB_OPEN_MOST) return;
    if (kind == SPB_OPERATION_OLD) fresh.price += displacement_price(p, np, moved);
    else fresh.price += moved == p->memory.distance ? prices->again : prices->distance[spb_bits_for(moved)];
    spb_open_add(&p->open, place, &fresh, np, len);
}

static void offer_before(struct parse *p, uint32_t np) {
    const struct spb_operations *before = p->in->before;
    if (before == NULL) return;
    while (p->before_end <= np && p->before < before->count) p->before_end += before->list[p->before++].len;
    const struct spb_operation *op = &before->list[p->before - 1];
    if (op->kind == SPB_OPERATION_LITERAL) return;
    offer(p, np, op->kind, op->source + op->len - (p->before_end - np), 0);
}

static void offer_all(struct parse *p, uint32_t np) {
    struct spb_found found[SPB_FINDER_MOST];
    uint32_t expected = np - p->memory.r0;
    offer(p, np, SPB_OPERATION_OLD, expected, 0);
    offer_before(p, np);
    uint32_t count = spb_finder_find(p->in->finder, np, expected, found);
    for (uint32_t i = 0; i < count; i++) offer(p, np, found[i].kind, found[i].source, found[i].len);
    for (uint32_t near = 2; near <= 8; near += 2) {
        offer(p, np, SPB_OPERATION_OLD, expected - near, 0);
        offer(p, np, SPB_OPERATION_OLD, expected + near, 0);
    }
}

static void literal(struct parse *p, uint32_t np) {
    p->next = p->here + p->in->prices->is_literal + p->in->prices->literal[np % 2][p->in->pair->new_bytes[np]];
    p->next_way = p->way + 1;
    p->next_memory = p->memory;
    p->ways[p->next_way] = (struct way){p->way, SPB_OPERATION_LITERAL, np + 1, 0};
}

/* The copy, the best of those that are open, ends before np. */
static void end_copy(struct parse *p, const struct spb_copy *copy, uint32_t np, spb_bits price) {
    p->ways[p->next_way] = (struct way){copy->way, copy->kind & 3, np, copy->moved};
    p->next_memory = copy->memory;
    if (copy->kind == SPB_OPERATION_NEW) {
        p->next_memory.distance = copy->moved;
    } else {
        p->next_memory.r0 = copy->moved;
    }
    p->next = price;
}

static void go_on(struct parse *p) {
    p->here = p->next;
    p->way = p->next_way;
    p->memory = p->next_memory;
}

/* Every copy may end behind np; returns the best, if that is cheaper than the literal. */
static const struct spb_copy *step_with_care(struct parse *p, uint32_t np) {
    spb_bits price;
    offer_all(p, np);
    literal(p, np);
    spb_open_advance(&p->open, np);
    const struct spb_copy *copy = spb_open_best(&p->open, &price);
    if (copy != NULL && price >= p->next) copy = NULL;
    if (copy != NULL) end_copy(p, copy, np + 1, price);
    return copy;
}

/* Where a calm stretch that begins at np ends, np when there is none: in it the copy, the best, comes as predicted, as it
 * has for long. */
static uint32_t calm_end(struct parse *p, const struct spb_copy *copy, uint32_t np) {
    if (copy == NULL || copy->kind != SPB_OPERATION_OLD || copy->run < CALM_RUN || np < p->surprise) return np;
    uint32_t sure = spb_open_sure(&p->open, copy, np, FAR);
    if (sure < CALM_AHEAD) {
        p->surprise = np + sure;
        return np;
    }
    return np + spb_open_sure(&p->open, copy, np, sure - CALM_BACK);
}

/* Nothing new begins in a calm stretch, nor does a literal. */
static void pass_calm(struct parse *p, uint32_t np, uint32_t end) {
    spb_bits price;
    while (np < end) {
        spb_open_advance(&p->open, np++);
        if (p->open.count > 1 && spb_open_best(&p->open, &price) != NULL) spb_open_prune(&p->open, np, price);
    }
    const struct spb_copy *copy = spb_open_best(&p->open, &price);
    p->next_way = p->way + 1;
    end_copy(p, copy, np, price);
    go_on(p);
}

/* From the end of the first part to the second: a step of its own, that makes nothing. */
static void pass_gap(struct parse *p, uint32_t np) {
    p->ways[p->way + 1] = (struct way){p->way, SPB_OPERATION_LITERAL, np, 0};
    p->way++;
    p->next_way = p->way;
    p->memory.r0 = 0;
    p->open.count = 0;
    p->surprise = 0;
}

static bool collect(const struct parse *p, struct spb_operations *operations) {
    size_t count = 0;
    for (uint32_t way = p->way; way > 0; way = p->ways[way].from) count++;
    struct spb_operation *list = malloc((count + 1) * sizeof *list);
    if (list == NULL) return false;
    uint32_t at = p->way;
    for (size_t i = count; i-- > 0; at = p->ways[at].from) {
        const struct way *way = &p->ways[at];
        uint32_t start = p->ways[way->from].at;
        uint32_t source = way->kind == SPB_OPERATION_LITERAL ? 0 : start - way->moved;
        list[i] = (struct spb_operation){way->kind, way->at - start, source};
    }
    size_t kept = 0;
    uint32_t np = 0;
    for (size_t i = 0; i < count; i++) { /* what goes on as the one before is one with it */
        bool fresh = np == p->in->pair->rest;
        np += list[i].len;
        struct spb_operation *last = kept == 0 ? NULL : &list[kept - 1];
        bool literals = list[i].kind == SPB_OPERATION_LITERAL;
        if (last != NULL && !fresh && last->kind == list[i].kind && (literals || last->source + last->len == list[i].source)) {
            last->len += list[i].len;
        } else {
            list[kept++] = list[i];
        }
    }
    *operations = (struct spb_operations){list, kept};
    return true;
}

enum spb_parse_result spb_parse(const struct spb_parse_input *input, struct spb_progress *progress,
                                struct spb_operations *operations) {
    struct parse p = {.in = input,
                      .open = {.pair = input->pair, .old_sites = input->old_sites, .new_sites = input->new_sites,
                               .places = input->places, .prices = input->prices, .effort = input->effort,
                               .caution = input->caution}};
    bool two = input->pair->rest < input->pair->new_len;
    uint32_t len = two ? input->pair->new_len : input->pair->new_code, ticked = 0;
    enum spb_parse_result result = SPB_PARSE_DONE;
    p.ways = malloc(((size_t)len + 2) * sizeof *p.ways);
    if (p.ways == NULL) return SPB_PARSE_NO_MEMORY;
    p.ways[0] = (struct way){0};
    for (uint32_t np = 0; np < len;) {
        if (np == input->pair->new_code) pass_gap(&p, np = input->pair->rest);
        if (np >= ticked) {
            ticked = np + TICK;
            if (!progress->step(progress->context, progress->done + np, progress->total)) {
                result = SPB_PARSE_STOPPED;
                break;
            }
        }
        const struct spb_copy *copy = step_with_care(&p, np++);
        uint32_t end = np == input->pair->new_code ? np : calm_end(&p, copy, np);
        if (end > np) spb_open_promise(&p.open, end); /* others may be cheaper for a while, and then no more */
        spb_open_prune(&p.open, np, p.next);
        go_on(&p);
        if (end > np) pass_calm(&p, np, end);
        if (end > np) np = end;
    }
    if (result == SPB_PARSE_DONE && !collect(&p, operations)) result = SPB_PARSE_NO_MEMORY;
    free(p.ways);
    return result;
}
