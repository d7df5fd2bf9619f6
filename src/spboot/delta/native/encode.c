/* SPDX-License-Identifier: MIT */
#include "encode.h"

#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "sites.h"
#include "writer.h"

#define PASSES 4u      /* at most; of a large NEW none follows one that made the stream shorter by less than 1/ENOUGH */
#define ENOUGH 256u
#define LARGE (1u << 20)
#define CAUTION SPB_BITS(200)   /* ending a copy costs more than its bits: what the next one has to learn again */

/* The first pass of a large NEW only learns where things went and what they cost. */
static const struct spb_effort quick = {.old_long = 2, .old_short = 1, .new_long = 2, .new_short = 2, .tries = 4,
                                        .enough = 2, .kept = 12, .hope = SPB_BITS(2500)};
static const struct spb_effort thorough = {.old_long = 6, .old_short = 3, .new_long = 12, .new_short = 8, .tries = 12,
                                           .enough = 6, .kept = 32, .hope = SPB_BITS(3500)};
static const struct spb_effort most = {.old_long = 24, .old_short = 4, .new_long = 24, .new_short = 12, .tries = 64,
                                       .enough = 64, .kept = 64, .hope = SPB_BITS(5000)};

/* One encoding in progress, and the shortest stream so far. */
struct encoding {
    struct spb_pair pair;
    struct spb_sites old_sites, new_sites;
    struct spb_places places;
    struct spb_prices prices;
    struct spb_operations operations;
    struct spb_progress progress;
    struct spb_encoded *best;
    uint32_t (*counts)[2], (*best_counts)[2];
    uint32_t last;      /* length of the stream before */
    bool settled;       /* another pass would gain little */
};

static bool step(void *context, uint64_t done, uint64_t total) {
    spb_encode_progress progress;
    memcpy(&progress, context, sizeof progress);
    return progress == NULL || progress(done, total) == 0;
}

static enum spb_encode_result keep_shorter(struct encoding *e, const uint8_t *stream, size_t len) {
    if (len > UINT32_MAX) return SPB_ENCODE_NO_MEMORY;
    uint32_t last = e->last;
    e->last = (uint32_t)len;
    e->settled = last <= len || (last - len) < last / ENOUGH;
    if (e->best->stream != NULL && e->best->len <= len) return SPB_ENCODE_DONE;
    uint8_t *copy = malloc(len);
    if (copy == NULL) return SPB_ENCODE_NO_MEMORY;
    memcpy(copy, stream, len);
    free(e->best->stream);
    e->best->stream = copy;
    e->best->len = (uint32_t)len;
    if (e->best_counts != NULL) memcpy(e->best_counts, e->counts, spb_writer_models() * sizeof *e->counts);
    return SPB_ENCODE_DONE;
}

static enum spb_encode_result write_stream(struct encoding *e) {
    struct spb_sender *s = malloc(sizeof *s);
    struct spb_tally *tally = calloc(1, sizeof *tally);
    enum spb_encode_result result = SPB_ENCODE_NO_MEMORY;
    if (s != NULL && tally != NULL) {
        if (e->counts != NULL) memset(e->counts, 0, spb_writer_models() * sizeof *e->counts);
        const uint8_t *stream;
        bool written = spb_writer_run(&e->pair, &e->operations, s, e->counts, tally);
        size_t len = written ? spb_sender_finish(s, &stream) : 0;
        if (s->failed) result = SPB_ENCODE_NO_MEMORY;
        else if (!written) result = SPB_ENCODE_WRONG;
        else result = keep_shorter(e, stream, len);
        spb_sender_free(s);
        spb_prices_from(&e->prices, tally);
    }
    free(tally);
    free(s);
    return result;
}

static enum spb_encode_result pass(struct encoding *e, const struct spb_effort *effort) {
    struct spb_finder finder;
    struct spb_operations operations = {NULL, 0};
    const struct spb_parse_input input = {.pair = &e->pair, .old_sites = &e->old_sites, .new_sites = &e->new_sites,
                                          .finder = &finder, .places = &e->places, .prices = &e->prices,
                                          .before = e->operations.list == NULL ? NULL : &e->operations,
                                          .effort = effort, .caution = CAUTION};
    enum spb_parse_result parsed = SPB_PARSE_NO_MEMORY;
    if (spb_finder_init(&finder, &e->pair, &e->places, effort)) parsed = spb_parse(&input, &e->progress, &operations);
    spb_finder_free(&finder);
    if (parsed == SPB_PARSE_STOPPED) return SPB_ENCODE_STOPPED;
    if (parsed == SPB_PARSE_NO_MEMORY) return SPB_ENCODE_NO_MEMORY;
    free(e->operations.list);
    e->operations = operations;
    e->progress.done += e->pair.new_len;
    enum spb_encode_result result = write_stream(e);
    if (result != SPB_ENCODE_DONE) return result;
    return spb_places_learn(&e->places, e->pair.old_len, &e->operations) ? SPB_ENCODE_DONE : SPB_ENCODE_NO_MEMORY;
}

/* Data that does not compress: as it is. */
static enum spb_encode_result store(struct encoding *e) {
    struct spb_operation *all = malloc(sizeof *all);
    if (all == NULL) return SPB_ENCODE_NO_MEMORY;
    *all = (struct spb_operation){SPB_OPERATION_STORED, e->pair.new_len, 0};
    free(e->operations.list);
    e->operations = (struct spb_operations){all, 1};
    return write_stream(e);
}

enum spb_encode_result spb_encode(const struct spb_pair *pair, spb_encode_progress progress, uint32_t (*counts)[2],
                                  struct spb_encoded *encoded) {
    struct spb_tally *nothing = calloc(1, sizeof *nothing);
    const uint8_t *old_bytes = pair->old_bytes, *new_bytes = pair->new_bytes;
    uint32_t old_len = pair->old_len, new_len = pair->new_len;
    struct encoding e = {.pair = *pair, .best = encoded, .best_counts = counts};
    if (pair->old_code == 0 && (pair->rest == UINT32_MAX || old_len <= pair->rest)) e.pair.base = 0;    /* there is no OLD */
    enum spb_encode_result result = SPB_ENCODE_NO_MEMORY;
    *encoded = (struct spb_encoded){NULL, 0};
    e.progress = (struct spb_progress){step, &progress, 0, (uint64_t)new_len * PASSES};
    if (counts != NULL) e.counts = malloc(spb_writer_models() * sizeof *e.counts);
    if (spb_sites_init(&e.old_sites, &e.pair, old_bytes, old_len) &&
        spb_sites_init(&e.new_sites, &e.pair, new_bytes, new_len) && nothing != NULL &&
        (counts == NULL || e.counts != NULL)) {
        spb_prices_from(&e.prices, nothing);
        result = SPB_ENCODE_DONE;
        bool large = new_len > LARGE;
        for (uint32_t i = 0; i < PASSES && result == SPB_ENCODE_DONE && !(large && i > 1 && e.settled); i++) {
            result = pass(&e, !large ? &most : i == 0 ? &quick : &thorough);
        }
        if (result == SPB_ENCODE_DONE && encoded->len > new_len) result = store(&e);
    }
    if (result == SPB_ENCODE_DONE) (void)step(&progress, e.progress.total, e.progress.total);
    else spb_encode_free(encoded);
    spb_sites_free(&e.old_sites);
    spb_sites_free(&e.new_sites);
    spb_places_free(&e.places);
    free(e.operations.list);
    free(e.counts);
    free(nothing);
    return result;
}

void spb_encode_free(struct spb_encoded *encoded) {
    free(encoded->stream);
    *encoded = (struct spb_encoded){NULL, 0};
}

uint32_t spb_encode_models(void) { return spb_writer_models(); }
