/* SPDX-License-Identifier: MIT */
/* numbers.c - the numbers that are made of decisions: any decisions, as range.c proves them.
 * Bound: numbers of up to 31 bits without models and up to 5 bits with them, which delta.c asks for; delta.c of this
 * folder proves that it asks for no more. */
#include "range_state.h"

#define MODELS 31u

static uint16_t models[MODELS];

static uint32_t decide(struct spb_range *s, uint16_t *one, uint16_t *other) {
    PROVE(s == &r && READABLE(one, sizeof *one) && READABLE(other, sizeof *other), "the models asked are there");
    PROVE(model_can_be(*one) && model_can_be(*other), "and within 1 .. 4095");
    *one = any_model();
    if (other != one) *other = any_model();
    return any_below(2);
}


#include "core/range.c"

static void any_models(void) {
    r.models = models;
    for (uint32_t i = 0; i < MODELS; i++) models[i] = any_model();
}

static void prove_direct(void) {
    uint32_t bits = any_below(32);
    uint32_t value = spb_range_direct(&r, bits);
    PROVE(value >> bits == 0, "a number has no more bits than asked for");
}

static void prove_tree(void) {
    uint32_t bits = 1 + any_below(5);
    uint32_t value = spb_range_tree(&r, MODELS - ((1u << bits) - 1), bits);
    PROVE(value >> bits == 0, "a number of a tree has no more bits than the tree, and asks no model behind it");
}

int main(void) {
    any_models();
    prove_direct();
    any_models();
    prove_tree();
    return 0;
}
