/* SPDX-License-Identifier: MIT */
/* trigger.h - listens at the start for the word that asks for the loader.
 * T1  The window closes at its time, whatever arrives in it; the first byte prolongs it, once. */
#ifndef SPB_TRIGGER_H
#define SPB_TRIGGER_H

#include <stdbool.h>

#include <stdint.h>

/* Whether the word is typed within window_ms from now; once a first byte has come, within long_ms from that byte. */
bool spb_trigger_typed(const char *word, uint32_t window_ms, uint32_t long_ms);

#endif
