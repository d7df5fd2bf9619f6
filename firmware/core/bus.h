/* SPDX-License-Identifier: MIT */
/* bus.h - a USB host with one port, and one device at it, at full speed: packets go one after the other.  driver/otg.c has it.
 * B1  No wait is without an end, whatever the device does, or when it is pulled out.
 * B2  Nothing beyond the room that is given is written.
 * B3  After a stop clocks and core are as before the start, and the port has no power; pins are with the ports.
 * Needs SysTick as spb_tick_start() leaves it, and a console that has nothing left to send: clocks change. */
#ifndef SPB_BUS_H
#define SPB_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

enum spb_way { SPB_OUT, SPB_IN };

/* What the next packet of a pipe is.  By a packet that passed DATA0 becomes DATA1, and DATA1 DATA0. */
enum spb_next { SPB_DATA0 = 0, SPB_DATA1 = 2, SPB_SETUP = 3 };

/* How many bytes passed, or in place of that one of these. */
enum spb_bus_failure {
    SPB_BUS_STALL = -1,     /* the device refuses */
    SPB_BUS_FAILED = -2,    /* it does not answer, or not as it should, or not in time */
    SPB_BUS_GONE = -3       /* there is none any more: only a start helps */
};

#define SPB_BUS_CONTROL_MS 1000u
#define SPB_BUS_BULK_MS 2500u   /* a stick that tidies up takes a second */

/* One way to or from an endpoint: a bulk one, and with number 0 that for control transfers. */
struct spb_pipe {
    uint8_t address, endpoint;
    uint8_t size;           /* bytes of a packet: 8, 16, 32 or 64 */
    uint8_t next;           /* an enum spb_next */
};

/* Clocks, core, and power for the port, which was off for a moment.  SPB_TEXT_NONE, or why not. */
enum spb_text spb_bus_start(void);
void spb_bus_stop(void);

/* A device is there. */
bool spb_bus_connected(void);

/* More current flows than the board can give. */
bool spb_bus_overloaded(void);

/* Reset it: not before it was there for 100 ms.  SPB_TEXT_NONE, or why it cannot be used. */
enum spb_text spb_bus_reset(void);

/* len bytes of data, in as many packets as that takes, within the time above; for IN until a packet is not full, too.  data is
 * readable, or has room, for whole words.  How many bytes passed, or a failure. */
int32_t spb_bus_transfer(struct spb_pipe *pipe, enum spb_way way, uint8_t *data, uint32_t len);

#endif
