/* SPDX-License-Identifier: MIT */
/* delta.c - the decoder of patch streams, by induction: spb_delta_init() makes an honest state, and from any honest state
 * a step, whatever is decided, reads and writes inside what is its own and leaves an honest state.
 * Bound: none on the number of steps, nor on the stream.  OLD and NEW have up to MOST bytes.  The map has as many entries
 * as the runner says in place of 112; moves.c has them all.  Decisions are any, as range.c and numbers.c prove them.
 * D2: OLD is read below old_len, NEW below what was put; never more than new_len bytes are put. */
#include "proof.h"

#include "core/delta.c"

#define MOST 160u

static uint8_t old_bytes[MOST];
static struct spb_delta d;
static bool failed;

uint32_t spb_range_bit(struct spb_range *r, uint32_t model) {
    PROVE(r == &d.range && model < SPB_DELTA_MODELS, "a model that there is");
    return any_below(2);
}

uint32_t spb_range_mixed(struct spb_range *r, uint32_t one, uint32_t other) {
    PROVE(r == &d.range && one < SPB_DELTA_MODELS && other < SPB_DELTA_MODELS, "models that there are");
    return any_below(2);
}

uint32_t spb_range_direct(struct spb_range *r, uint32_t bits) {
    PROVE(r == &d.range && bits <= 31, "numbers of up to 31 bits");
    return any_below(1u << bits);
}

uint32_t spb_range_tree(struct spb_range *r, uint32_t first, uint32_t bits) {
    PROVE(r == &d.range && bits >= 1 && bits <= 5, "trees of 1 .. 5 bits");
    PROVE(first <= SPB_DELTA_MODELS - ((1u << bits) - 1), "whose models there are");
    return any_below(1u << bits);
}

void spb_range_start(struct spb_range *r) { PROVE(r == &d.range, "it is started"); }

void spb_prior_unpack(uint16_t *models) { PROVE(WRITABLE(models, 2 * SPB_DELTA_MODELS), "all models have room"); }

static enum spb_status put_new(struct spb_delta *to, uint8_t byte) {
    (void)byte;
    PROVE(to == &d && !failed, "nothing is put behind an error");
    PROVE(d.np >= 1 && d.np <= d.new_len[0], "D2: at most new_len bytes are put");
    failed = any_bool();
    return failed ? SPB_E_SECTION_WRITE_FAILURE : SPB_OK;
}

static uint8_t get_new(struct spb_delta *from, uint32_t off) {
    PROVE(from == &d && off < d.np, "D2: NEW is read only below what was put");
    return (uint8_t)any_below(256);
}

static uint32_t same_new(struct spb_delta *to, uint32_t most) {
    PROVE(to == &d && !failed && most >= 1, "something is the same");
    PROVE(d.np < d.new_len[0] && most <= d.new_len[0] - d.np, "D2: at most new_len bytes are taken");
    PROVE(d.np < d.image.size && most <= d.image.size - d.np, "D2: which OLD has");
    return any_below(most + 1);
}

static const struct spb_delta_new out = {put_new, get_new, same_new};

/* What holds between two steps. */
static bool honest(void) {
    return d.out == &out && d.image.size <= MOST && d.new_len[0] <= MOST && d.np <= d.new_len[0] && d.copying <= STORED &&
           d.before <= STORED && d.run_bits <= 7 && d.literals <= 3 && d.sure_end <= d.new_len[0] &&
           d.moves.count <= SPB_DELTA_MOVES && d.moves.clock < 255 &&
           (d.copying != NEW || (d.moved >= 1 && d.moved <= d.np)) && (d.image.size != 0 || d.copying != OLD);
}

static void any_honest(void) {
    d.range.models = (uint16_t *)&d.models;
    d.last[1] = (uint8_t)any_below(256);
    d.copying = (uint8_t)any_below(4);
    d.before = (uint8_t)any_below(4);
    d.run_bits = (uint8_t)any_below(8);
    d.literals = (uint8_t)any_below(4);
    d.new_len[0] = any_below(MOST + 1);
    d.np = any_u32();
    d.image = (struct spb_image_range){.base = any_u32(), .size = any_below(MOST + 1)};
    d.r0 = any_u32();
    d.distance = any_u32();
    d.moved = any_u32();
    d.sure_end = any_u32();
    d.pending = any_u32();
    d.run_from = any_u32();
    d.skip_end = any_u32();
    d.changed_end = any_u32();
    d.ask_at = any_u32();
    d.out = &out;
    for (uint32_t i = 0; i < SPB_REFERENCE_KINDS; i++) d.missed[i] = any_bool();
    for (uint32_t i = 0; i < SPB_DELTA_MOVES; i++) {
        d.moves.key_age[i] = any_u32();
        d.moves.low[i] = (uint16_t)any_below(1u << 16);
        d.moves.high[i] = (uint8_t)any_below(256);
    }
    d.moves.count = (uint8_t)any_below(SPB_DELTA_MOVES + 1);
    d.moves.clock = (uint8_t)any_below(255);
    ASSUME(honest());
}

static void prove_init(void) {
    uint32_t old_len = any_below(MOST + 1), new_len = any_below(MOST + 1);
    const struct spb_delta_image old = {{{old_bytes, old_len}}}, new = {{{NULL, new_len}}};
    spb_delta_init(&d, &out, &old, &new);
    PROVE(honest() && d.np == 0, "an update begins in an honest state");
}

static void prove_step(void) {
    any_honest();
    uint32_t before = d.np;
    ASSUME(d.np < d.new_len[0]);
    /* what is behind its end is not OLD: the last byte of the array is that of OLD */
    d.old[0] = old_bytes + (MOST - d.image.size);
    enum spb_status status = step(&d);
    PROVE(!failed || status == SPB_E_SECTION_WRITE_FAILURE, "the status of put() comes through");
    PROVE(d.np >= before, "D4: nothing is taken back");
    if (status == SPB_OK) PROVE(honest(), "a step leaves an honest state");
}

int main(void) {
    ANY(old_bytes);
    prove_init();
    prove_step();
    return 0;
}
