/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "fuzz_delta.h"
#include "fuzz_old.h"

/* Between two put() there is at most one step that ends a copy and one of the next: eight bytes of NEW in each. */
#define MOST_GETS 16u

struct sink {
    uint8_t *new;
    uint32_t len, size, fail, gets;
    bool failed;
};

static struct sink *filled;     /* not around the decoder, which is a heap block of just its size */

uint32_t fuzz_accepted;

static uint32_t half(const uint8_t *b) { return b[0] | (uint32_t)b[1] << 8; }

static uint8_t *block(uint32_t len) {
    uint8_t *p = malloc(len > 0 ? len : 1);
    if (p == NULL) exit(1);
    return len > 0 ? p : p + 1; /* of an empty block no byte may be read */
}

static void block_free(uint8_t *p, uint32_t len) { free(len > 0 ? p : p - 1); }

bool fuzz_case_read(struct fuzz_case *c, const uint8_t *data, size_t size) {
    if (size < FUZZ_HEAD_SIZE) return false;
    uint32_t old = half(data);
    uint32_t rest_len = (uint32_t)size - FUZZ_HEAD_SIZE;
    const uint8_t *rest = data + FUZZ_HEAD_SIZE;
    const uint8_t *from = fuzz_old;
    memset(c, 0, sizeof *c);
    c->old_len = (old & ~FUZZ_OLD_OWN) % ((uint32_t)sizeof fuzz_old + 1);
    c->new_len = 1 + half(data + 2) % FUZZ_NEW_SIZE;
    c->division = data[4];
    c->fail = data[5] < 0xF0 ? 0 : 1 + (data[5] & 15u) * (c->new_len - 1) / 15;
    if ((old & FUZZ_OLD_OWN) != 0) {
        if (c->old_len > rest_len) c->old_len = rest_len;
        from = rest;
        rest += c->old_len;
        rest_len -= c->old_len;
    }
    if (c->old_len > 0) {   /* else it is NULL: not even its address may be reckoned with */
        c->old = block(c->old_len);
        memcpy(c->old, from, c->old_len);
    }
    c->rest = rest;
    c->rest_len = rest_len;
    return true;
}

void fuzz_case_free(struct fuzz_case *c) { free(c->old); }

static enum spb_status put(struct spb_delta *d, uint8_t byte) {
    struct sink *s = filled;
    (void)d;
    fuzz_before_put();
    FUZZ_CHECK(!s->failed, "nothing is put behind an error");
    FUZZ_CHECK(s->len < s->size, "D2: at most new_len bytes are put");
    s->gets = 0;
    s->new[s->len++] = byte;
    s->failed = s->len == s->fail;
    return s->failed ? SPB_E_SECTION_WRITE_FAILURE : SPB_OK;
}

static uint8_t get(struct spb_delta *d, uint32_t off) {
    struct sink *s = filled;
    (void)d;
    FUZZ_CHECK(off < s->len, "D2: NEW is read only below what was put");
    FUZZ_CHECK(++s->gets <= MOST_GETS, "D4: work between two bytes of NEW is bounded");
    return s->new[off];
}

/* As many of them as the number of bytes so far says. */
static uint32_t same(struct spb_delta *d, uint32_t most) {
    struct sink *s = filled;
    FUZZ_CHECK(most >= 1 && most <= s->size - s->len, "D2: no more than new_len bytes are as in OLD");
    FUZZ_CHECK(s->len + most <= d->image.size, "D2: nor more than OLD has");
    uint32_t taken = (s->len * 7 + 3) % (most + 1);
    if (s->fail > s->len && s->fail - s->len <= taken) taken = s->fail - s->len - 1;     /* the one that fails is put */
    if (taken == 0) return 0;
    fuzz_before_put();
    s->gets = 0;
    memcpy(s->new + s->len, d->old[0] + s->len, taken);
    s->len += taken;
    return taken;
}

/* Length of the next chunk: all alike, or at random up to a most. */
static uint32_t chunk_len(uint8_t division, uint32_t *random, uint32_t left) {
    static const uint32_t most[8] = {1, 2, SPB_DELTA_STEP_SIZE - 1, SPB_DELTA_STEP_SIZE, SPB_DELTA_STEP_SIZE + 1, 77, 256, 1024};
    uint32_t len = most[division & 7];
    if (division == 0) return left;
    *random = *random * 1664525u + 1013904223u;
    if (division >> 3 != 0) len = 1 + (*random >> 16) % len;
    return len < left ? len : left;
}

/* As payload.c does: what run() leaves unread goes in front of the next chunk, and the last chunk is never empty. */
bool fuzz_init;

struct fuzz_result fuzz_decode(const struct fuzz_case *c, const uint8_t *stream, uint32_t len, uint8_t division) {
    struct sink sink = {.new = block(c->new_len), .size = c->new_len, .fail = c->fail};
    static const struct spb_delta_new out = {put, get, same};
    struct spb_delta *d = malloc(sizeof *d);
    struct fuzz_result result = {SPB_OK, 0, sink.new};
    uint32_t at = 0, random = division;
    uint8_t carry[SPB_DELTA_STEP_SIZE];
    uint32_t carried = 0;
    bool last = false;
    if (d == NULL) exit(1);
    filled = &sink;
    fuzz_init = true;
    const struct spb_delta_image from = {{{c->old, c->old_len}}}, to = {{{NULL, c->new_len}}};
    spb_delta_init(d, &out, &from, &to);
    fuzz_init = false;
    while (result.status == SPB_OK && !last) {
        uint32_t part = chunk_len(division, &random, len - at);
        uint32_t all = carried + part;
        uint32_t used = 0;
        uint8_t *in = block(all);
        memcpy(in, carry, carried);
        if (part > 0) memcpy(in + carried, stream + at, part);
        at += part;
        last = at == len;
        result.status = spb_delta_run(d, in, all, last, &used);
        FUZZ_CHECK(used <= all, "D1: no more is used than was given");
        FUZZ_CHECK(result.status == SPB_OK || sink.failed || result.status == SPB_E_PARSER_ERROR, "a known status");
        FUZZ_CHECK(!sink.failed || result.status == SPB_E_SECTION_WRITE_FAILURE, "the status of put() comes through");
        if (result.status == SPB_OK && !last) {
            carried = all - used;
            FUZZ_CHECK(carried <= SPB_DELTA_STEP_SIZE, "D3: at most STEP_SIZE bytes stay unread");
            memcpy(carry, in + used, carried);
        }
        FUZZ_CHECK(result.status != SPB_OK || !last || (used == all && sink.len == c->new_len),
                   "accepted only with all of NEW put and all of the stream read");
        block_free(in, all);
    }
    fuzz_accepted += result.status == SPB_OK;
    result.np = sink.len;
    free(d);
    return result;
}

void fuzz_compare(struct fuzz_result *one, struct fuzz_result *other) {
    FUZZ_CHECK(one->status == other->status, "D3: status does not depend on the division");
    FUZZ_CHECK(one->np == other->np, "D3: length does not depend on the division");
    FUZZ_CHECK(memcmp(one->new, other->new, one->np) == 0, "D3: NEW does not depend on the division");
    free(one->new);
    free(other->new);
}
