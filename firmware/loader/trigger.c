/* SPDX-License-Identifier: MIT */
#include "trigger.h"

bool spb_trigger_typed(const struct spb_line *line, const char *word, uint32_t window_ms, uint32_t long_ms) {
    uint32_t start = line->now_ms(), gone = 0;
    uint32_t matched = 0;
    bool prolonged = false;
    while (gone < window_ms || !prolonged) {
        int byte = line->get(gone < window_ms ? window_ms - gone : 0);
        if (byte == SPB_LINE_NOTHING) return false;
        if (!prolonged) {
            prolonged = true;
            start = line->now_ms();
            window_ms = long_ms;
        }
        /* No letter of the word starts it again but the first, so a miss restarts there. */
        matched = byte == word[matched] ? matched + 1 : byte == word[0];
        if (word[matched] == '\0') return true;
        gone = line->now_ms() - start;
    }
    return false;
}
