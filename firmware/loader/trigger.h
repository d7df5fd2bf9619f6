/* SPDX-License-Identifier: MIT */
/* trigger.h - does somebody want the loader?
 * T1  The window closes at its time, whatever arrives in it; what arrives before prolongs it once. */
#ifndef SPB_TRIGGER_H
#define SPB_TRIGGER_H

#include <stdbool.h>

#include <stdint.h>

/* True once the word was typed within window_ms from now, or, as soon as a first byte came, within long_ms from then. */
bool spb_trigger_typed(const char *word, uint32_t window_ms, uint32_t long_ms);

#endif
