/* SPDX-License-Identifier: MIT */
#include "trigger.h"

#include "line.h"

bool spb_trigger_typed(const char *word, uint32_t window_ms, uint32_t long_ms) {
    uint32_t start = spb_line_ms(), gone = 0;
    uint32_t matched = 0;
    bool prolonged = false;
    while (gone < window_ms || !prolonged) {
        int byte = spb_line_get(gone < window_ms ? window_ms - gone : 0);
        if (byte == SPB_LINE_NOTHING) return false;
        if (!prolonged) {
            prolonged = true;
            start = spb_line_ms();
            window_ms = long_ms;
        }
        /* No letter of the word starts it again but the first, so a miss restarts there. */
        matched = byte == word[matched] ? matched + 1 : byte == word[0];
        if (word[matched] == '\0') return true;
        gone = spb_line_ms() - start;
    }
    return false;
}
