/* SPDX-License-Identifier: MIT */
/* range.c - a decision of the range decoder, by induction: from any state in which range is at least 2^24 and the models asked
 * are between 1/4096 and 4095/4096, it ends in such a state.
 * Bound: none on the number of decisions, nor on the stream: LEFT bytes are more than one decision can read.
 * R1: nothing is read past end; a decision takes at most two bytes. */
#include "range_state.h"

#include "core/range.c"

static void prove_start(void) {
    any_state(&r);
    spb_range_start(&r);
    PROVE(state_can_be(&r), "the start is a state to go on from");
    PROVE(r.in <= stream + 4, "four bytes are read at most");
}

static void prove_decide(void) {
    uint16_t models[2] = {any_model(), any_model()};
    uint32_t other = any_below(2), before = models[other] & 15u;
    any_state(&r);
    ASSUME(r.range >= 1u << 24);
    uint32_t bit = decide(&r, &models[0], &models[other]);
    PROVE(bit <= 1, "a decision is 0 or 1");
    PROVE(state_can_be(&r) && r.range >= 1u << 24, "range is at least 2^24 again");
    PROVE(r.in <= stream + 2, "two bytes are read at most");
    PROVE(model_can_be(models[0]) && model_can_be(models[1]), "models stay within 1 .. 4095");
    PROVE((models[other] & 15u) == (before < 15 ? before + 1 : 15), "and count to 15");
}

int main(void) {
    prove_start();
    prove_decide();
    return 0;
}
