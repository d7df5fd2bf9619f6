/* SPDX-License-Identifier: MIT */
/* serial.h - a controller of serial flash, whichever IP version it is (quadspi.c, octospi.c): frames on its lines, and the
 * window in which the core sees the chips.
 * Frames follow the protocol that the controller was found in: one line, or as many as the application uses. */
#ifndef SPB_SERIAL_H
#define SPB_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "spb_chip.h"

/* Protocols, in the order in which a chip is reset in them. */
enum spb_protocol { SPB_PROTOCOL_DOUBLE, SPB_PROTOCOL_OCTAL, SPB_PROTOCOL_QUAD, SPB_PROTOCOL_SINGLE };

/* The block on, slow, and the window away; frames follow the protocol. */
void spb_serial_start(void);
void spb_serial_protocol(enum spb_protocol protocol);

/* The block as after a reset, and off. */
void spb_serial_stop(void);

/* Its window is mapped, in a protocol that frames can follow. */
bool spb_serial_mapped(void);

/* The window away, so that frames can be sent; false: not mapped, nothing was touched. */
bool spb_serial_open(void);

/* The window back, as it was found, or as the bootloader wants it.  Ends whatever goes on. */
void spb_serial_close(void);

/* Send a command; with an address, and then len bytes, or none. */
bool spb_serial_command(uint32_t op);
bool spb_serial_write(uint32_t op, uint32_t address, const uint8_t *data, uint32_t len);

/* Frames are on four lines. */
bool spb_serial_quad(void);

/* What each chip answers, as one number: the first byte is the highest.  All ones when nothing comes. */
struct spb_serial_answer {
    uint32_t of[SPB_EXTERNAL_CHIPS];
};
struct spb_serial_answer spb_serial_read(uint32_t op, uint32_t len);

/* Until no chip is busy, for so many cycles at most (patience.h). */
bool spb_serial_idle(uint32_t cycles);

#endif
