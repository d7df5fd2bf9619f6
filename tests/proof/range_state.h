/* SPDX-License-Identifier: MIT */
/* range_state.h - what holds of a range decoder between two decisions. */
#ifndef RANGE_STATE_H
#define RANGE_STATE_H

#include "proof.h"
#include "range.h"

#define LEFT 6u             /* bytes of the stream that are left at most */

static uint8_t stream[LEFT];
static struct spb_range r;

static inline bool model_can_be(uint16_t model) { return model >> 4 >= 1 && model >> 4 <= 4095; }

static inline uint16_t any_model(void) {
    uint16_t model = (uint16_t)any_below(1u << 16);
    ASSUME(model_can_be(model));
    return model;
}

static inline bool state_can_be(const struct spb_range *s) {
    return s->range >= 1u << 24 && s->in >= stream && s->in <= s->end && s->end <= stream + LEFT;
}

static inline void any_state(struct spb_range *s) {
    ANY(stream);
    *s = (struct spb_range){.range = any_u32(), .code = any_u32(), .in = stream, .end = stream + any_below(LEFT + 1)};
}

#endif
