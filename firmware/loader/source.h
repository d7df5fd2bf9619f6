/* SPDX-License-Identifier: MIT */
/* source.h - a place that an update's file comes from, and the consumer that takes its bytes.  A serial line is one
 * (ymodem.h); which of them a device has is known to whoever consumes: the loader's session, an application. */
#ifndef SPB_SOURCE_H
#define SPB_SOURCE_H

#include <stdbool.h>

#include "spb_config.h"
#include "text.h"

/* How receiving a file ended: one of these three, or before its end, and then it is the sentence that says why. */
enum spb_source_end {
    SPB_SOURCE_DONE = SPB_TEXT_LAST + 1,    /* all of the file was consumed */
    SPB_SOURCE_NONE,                        /* there was no file in time */
    SPB_SOURCE_REFUSED                      /* the consumer refused a byte, and the sender was told to stop */
};

static inline bool spb_source_has_reason(enum spb_source_end end) { return end < SPB_SOURCE_DONE; }

/* The consumer: whoever receives defines these three functions.  An error ends the transfer.  size is 0 when the source
 * does not name it. */
enum spb_status spb_source_begin(uint32_t size);
enum spb_status spb_source_data(const uint8_t *data, uint32_t len);

/* Number of bytes that are certainly wanted, 0 once the file is whole.  Called again when that many have come. */
uint32_t spb_source_wanted(void);

#if SPB_STICK
/* Another source has something: asked once a second by who waits for a sender (sources.h). */
bool spb_source_elsewhere(void);
#endif

#endif
