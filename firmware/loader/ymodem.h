/* SPDX-License-Identifier: MIT */
/* ymodem.h - receives one file over a serial line: YMODEM with CRC-16, blocks of 128 and 1024 bytes mixed at will.
 * Y1  The consumer gets the file's bytes once each, in order, from blocks whose CRC was right, and no padding: a file
 *     ends at the size that the sender names, or where the consumer wants no more.  What stands behind that in the same
 *     block is padding if the sender named no size or one of whole blocks, and a byte too many if it named another.
 * Y2  Every wait ends: a silent or babbling sender costs at most SPB_YMODEM_ERRORS timeouts, then the transfer ends.
 * Y3  A file of which the consumer wants no more is DONE, whatever comes after it, other than more of the file.
 * Y4  An EOT before that ends the file only if another one, or silence, follows it directly. */
#ifndef SPB_YMODEM_H
#define SPB_YMODEM_H

#include "source.h"

#define SPB_YMODEM_ERRORS 10u

/* Receive; calls the sender every second, tries times. */
enum spb_source_end spb_ymodem_receive(uint32_t tries);

#endif
