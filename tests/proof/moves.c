/* SPDX-License-Identifier: MIT */
/* moves.c - the map of what moved where, by induction: from any map each call stays inside and leaves a map.
 * Bound: a map of as many entries as the runner says in place of 112; any keys and ages, in order or not. */
#include "proof.h"

#include "moves.h"

static struct spb_moves m;

static void any_map(void) {
    for (uint32_t i = 0; i < SPB_DELTA_MOVES; i++) {
        m.key_age[i] = any_u32();
        m.low[i] = (uint16_t)any_below(1u << 16);
        m.high[i] = (uint8_t)any_below(256);
    }
    m.count = (uint8_t)any_below(SPB_DELTA_MOVES + 1);
    m.clock = (uint8_t)any_below(255);
}

int main(void) {
    any_map();
    uint32_t count = m.count;
    uint32_t key = any_below(1u << 24), here_key = any_bool() ? SPB_MOVES_NO_KEY : any_below(1u << 24);
    switch (any_below(3)) {
    case 0: (void)spb_moves_find(&m, key, here_key, any_u32()); break;
    case 1: (void)spb_moves_nearest(&m, any_u32(), any_u32()); break;
    default:
        spb_moves_put(&m, key, any_u32());
        PROVE(m.count == count || m.count == count + 1, "at most one entry more");
    }
    PROVE(m.count <= SPB_DELTA_MOVES && m.clock < 255, "a map is left");
    return 0;
}
