/* SPDX-License-Identifier: MIT */
#include "prior.h"

#include <string.h>

#include "range.h"
#include "spb_delta_prior.h"
#include "spb_spec.h"

/* Not inlined: its frame is not on the stack under a signature check. */
__attribute__((noinline)) void spb_prior_unpack(uint16_t *models) {
    static const uint16_t state[16] = SPB_DELTA_PRIOR_STATES;
    static const uint8_t packed[] = SPB_DELTA_PRIOR;
    uint16_t tree[15];
    struct spb_range range = {.in = packed, .end = packed + sizeof packed, .models = tree};
    memset(tree, 0x80, sizeof tree);        /* nearly one half, never asked */
    spb_range_start(&range);
    for (uint32_t i = 0; i < SPB_DELTA_MODELS; i++) models[i] = state[spb_range_tree(&range, 0, 4)];
}
