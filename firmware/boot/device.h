/* SPDX-License-Identifier: MIT */
/* device.h - the things there is one of: the board's console, the engine, the stack. */
#ifndef SPB_DEVICE_H
#define SPB_DEVICE_H

#include "engine.h"
#include "line.h"
#include "spb_chip.h"

extern const struct spb_line spb_console;
extern struct spb_engine spb_device_engine;

/* The sentence for a status of core, from [status] of the spec. */
const char *spb_status_text(enum spb_status status);

#endif
