/* SPDX-License-Identifier: MIT */
/* session.h - the loader: takes an update over YMODEM, says what came of it. */
#ifndef SPB_SESSION_H
#define SPB_SESSION_H

#include <stdbool.h>

#include "engine.h"
#include "line.h"

enum spb_session_result {
    SPB_SESSION_COMMITTED,      /* an update is ready to install at the next reset */
    SPB_SESSION_IDLE            /* nobody sent anything for SPB_SESSION_CALLS seconds */
};

#define SPB_SESSION_CALLS 60u   /* one a second */

/* active: SLOT0 holds a valid image; without one the loader never gives up.  block: SPB_YMODEM_BLOCK bytes. */
enum spb_session_result spb_session(const struct spb_line *line, struct spb_engine *engine, uint8_t *block, bool active);

#endif
