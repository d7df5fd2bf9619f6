/* SPDX-License-Identifier: MIT */
/* trigger.h - does somebody want the loader?
 * T1  The window closes at its time, whatever arrives in it. */
#ifndef SPB_TRIGGER_H
#define SPB_TRIGGER_H

#include <stdbool.h>

#include "line.h"

/* True once the word was typed within window_ms from now. */
bool spb_trigger_typed(const struct spb_line *line, const char *word, uint32_t window_ms);

#endif
