/* SPDX-License-Identifier: MIT */
#include "parse.h"

#include <stdlib.h>
#include <string.h>

#include "open.h"

#define NONE UINT32_MAX
#define TICK 16384u     /* positions between two calls of progress */

/* The cheapest way to a position: its last operation, and what the decoder remembers then. */
struct way {
    uint32_t kind, start, moved;    /* moved: displacement of a copy */
    uint32_t r0, r1, distance;
};

struct parse {
    const struct spb_parse_input *in;
    struct way *ways;               /* per position of NEW, and one for its end */
    spb_bits here, next;            /* price of the ways to np and np + 1 */
    struct spb_open open;
    size_t before;                  /* operation of the parse before at np, */
    uint32_t before_end;            /* and where it ends */
};

static spb_bits least(spb_bits a, spb_bits b) { return a < b ? a : b; }

static spb_bits displacement_price(const struct parse *p, const struct way *way, uint32_t np, uint32_t moved) {
    const struct spb_prices *prices = p->in->prices;
    if (moved == way->r0) return prices->same;
    int32_t step = (int32_t)(moved - way->r0);
    uint32_t far = step < 0 ? 0u - (uint32_t)step : (uint32_t)step;
    spb_bits price = moved == way->r1 ? prices->previous : far < 4096 ? prices->near[spb_bits_for(far)] : prices->far;
    if (spb_places_moved(p->in->places, np - moved) == (int32_t)moved) {
        price = least(price, prices->mapped + SPB_BITS(150));
    }
    return price;
}

static void offer(struct parse *p, uint32_t np, uint32_t kind, uint32_t source, uint32_t len) {
    const struct spb_prices *prices = p->in->prices;
    const struct way *way = &p->ways[np];
    uint32_t moved = np - source;
    if (source >= (kind == SPB_OPERATION_OLD ? p->in->pair->old_len : np)) return;
    spb_bits price = p->here + prices->is_copy;
    if (kind == SPB_OPERATION_NEW) price += moved == way->distance ? prices->again : prices->distance[spb_bits_for(moved)];
    else price += displacement_price(p, way, np, moved);
    spb_open_add(&p->open, kind, moved, np, len, price);
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
    uint32_t expected = np - p->ways[np].r0;
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
    const struct way *way = &p->ways[np];
    p->next = p->here + p->in->prices->is_literal + p->in->prices->literal[np % 2][p->in->pair->new_bytes[np]];
    p->ways[np + 1] = (struct way){SPB_OPERATION_LITERAL, np, 0, way->r0, way->r1, way->distance};
}

/* The best of the open copies ends behind np, if that is cheaper than the literal. */
static void close(struct parse *p, uint32_t np) {
    spb_bits price;
    const struct spb_copy *copy = spb_open_best(&p->open, &price);
    if (copy == NULL || price >= p->next) return;
    const struct way *start = &p->ways[copy->start];
    struct way *way = &p->ways[np + 1];
    *way = (struct way){copy->kind, copy->start, copy->moved, start->r0, start->r1, start->distance};
    if (copy->kind == SPB_OPERATION_NEW) {
        way->distance = copy->moved;
    } else if (copy->moved != start->r0) {
        way->r1 = start->r0;
        way->r0 = copy->moved;
    }
    p->next = price;
}

static bool collect(const struct parse *p, struct spb_operations *operations) {
    uint32_t np = p->in->pair->new_len;
    size_t count = 0;
    for (uint32_t at = np; at > 0; at = p->ways[at].start) count++;
    struct spb_operation *list = malloc((count + 1) * sizeof *list);
    if (list == NULL) return false;
    for (size_t i = count; i-- > 0; np = p->ways[np].start) {
        const struct way *way = &p->ways[np];
        uint32_t source = way->kind == SPB_OPERATION_LITERAL ? 0 : way->start - way->moved;
        list[i] = (struct spb_operation){way->kind, np - way->start, source};
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) { /* what goes on as the one before is one with it */
        struct spb_operation *last = kept == 0 ? NULL : &list[kept - 1];
        bool literals = list[i].kind == SPB_OPERATION_LITERAL;
        if (last != NULL && last->kind == list[i].kind && (literals || last->source + last->len == list[i].source)) {
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
    struct parse p = {.in = input};
    uint32_t len = input->pair->new_len;
    enum spb_parse_result result = SPB_PARSE_DONE;
    p.ways = malloc(((size_t)len + 1) * sizeof *p.ways);
    if (p.ways == NULL) return SPB_PARSE_NO_MEMORY;
    p.ways[0] = (struct way){0};
    spb_open_init(&p.open, input->pair, input->places, input->prices, input->caution);
    for (uint32_t np = 0; np < len; np++) {
        if (np % TICK == 0 && !progress->step(progress->context, progress->done + np, progress->total)) {
            result = SPB_PARSE_STOPPED;
            break;
        }
        offer_all(&p, np);
        literal(&p, np);
        spb_open_advance(&p.open, np);
        close(&p, np);
        spb_open_prune(&p.open, np + 1, p.next);
        p.here = p.next;
    }
    if (result == SPB_PARSE_DONE && !collect(&p, operations)) result = SPB_PARSE_NO_MEMORY;
    free(p.ways);
    return result;
}
