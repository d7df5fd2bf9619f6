/* SPDX-License-Identifier: MIT */
/* device.h - the things there is one of: the board's console, the engine. */
#ifndef SPB_DEVICE_H
#define SPB_DEVICE_H

#include "engine.h"
#include "spb_chip.h"
#include "uart_line.h"

extern struct spb_engine spb_device_engine;

#endif
