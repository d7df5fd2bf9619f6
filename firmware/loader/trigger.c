/* SPDX-License-Identifier: MIT */
#include "trigger.h"

bool spb_trigger_typed(const struct spb_line *line, const char *word, uint32_t window_ms) {
    uint32_t start = line->now_ms();
    uint32_t matched = 0;
    for (;;) {
        uint32_t gone = line->now_ms() - start;
        if (gone >= window_ms) return false;
        int byte = line->get(window_ms - gone);
        if (byte == SPB_LINE_NOTHING) continue;
        /* No letter of the word starts it again but the first, so a miss restarts there. */
        matched = byte == word[matched] ? matched + 1 : byte == word[0];
        if (word[matched] == '\0') return true;
    }
}
