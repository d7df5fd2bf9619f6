/* SPDX-License-Identifier: MIT */
/* session.h - the loader: takes an update from one of its sources (sources.h), says what came of it. */
#ifndef SPB_SESSION_H
#define SPB_SESSION_H

#include <stdbool.h>

#include "engine.h"

enum spb_session_result {
    SPB_SESSION_COMMITTED,      /* an update is ready to install at the next reset */
    SPB_SESSION_IDLE            /* nobody sent anything for SPB_SOURCES_CALLS seconds */
};

/* The one there is: the boot room has it. */
extern struct spb_engine spb_device_engine;

/* It, in a way that tells compilers nothing of where it is: functions that knew would build addresses of its parts,
 * which takes more than offsets from a register. */
static inline struct spb_engine *spb_engine(void) {
    struct spb_engine *engine = &spb_device_engine;
    __asm__("" : "+r"(engine));
    return engine;
}

/* active: SLOT0 holds a valid image; without one the loader never gives up. */
enum spb_session_result spb_session(bool active);

#if SPB_STICK
/* Without being asked: SLOT0 holds a valid image, and is started unless a stick that appears within wait_ms has an update.
 * True when that is ready to install. */
bool spb_session_look(uint32_t wait_ms);
#endif

#endif
