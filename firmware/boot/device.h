/* SPDX-License-Identifier: MIT */
/* device.h - the things there is one of: the board's console, the engine (session.h). */
#ifndef SPB_DEVICE_H
#define SPB_DEVICE_H

#include "engine.h"
#include "spb_chip.h"
#include "session.h"
#include "uart_line.h"

#endif
