/* SPDX-License-Identifier: MIT */
/* sources.h - all that the loader takes updates from: the serial line, and where the board has a connector a USB stick
 * (usb/sources.c).
 * S1  The stick has power, and its clock runs, from the start to the stop and no longer.
 * S2  A stick that is spent, as it has nothing, or nothing more, is looked at again once it was pulled out. */
#ifndef SPB_SOURCES_H
#define SPB_SOURCES_H

#include "spb_config.h"
#include "ymodem.h"

#define SPB_SOURCES_CALLS 60u   /* one a second */

/* The light of the board, if it has one (main.c): slow while a stick is waited for, fast while one is read. */
void spb_show_light(bool on);

#if SPB_STICK

/* Stop them whatever comes. */
void spb_sources_start(void);

/* One file, from whichever has it first, by YMODEM within SPB_SOURCES_CALLS seconds.  active: SLOT0 holds a valid image. */
enum spb_source_end spb_sources_receive(bool active);

/* One file from a stick that appears within wait_ms, and is not the version that this device has gone back from. */
enum spb_source_end spb_sources_look(uint32_t wait_ms, bool active);

void spb_sources_stop(void);

/* The last file came from a stick, which may have the next one. */
bool spb_sources_by_stick(void);

#else

static inline void spb_sources_start(void) {}
static inline enum spb_source_end spb_sources_receive(bool active) {
    (void)active;
    return spb_ymodem_receive(SPB_SOURCES_CALLS);
}
static inline void spb_sources_stop(void) {}

#endif
#endif
