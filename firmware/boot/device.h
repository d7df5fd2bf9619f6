/* SPDX-License-Identifier: MIT */
/* device.h - the things there is one of: the board's console, the engine, the list of sentences. */
#ifndef SPB_DEVICE_H
#define SPB_DEVICE_H

#include "engine.h"
#include "spb_chip.h"
#include "uart_line.h"

extern struct spb_engine spb_device_engine;

/* The sentence for a status of core, from [status] of the spec. */
const char *spb_status_text(enum spb_status status);

#endif
