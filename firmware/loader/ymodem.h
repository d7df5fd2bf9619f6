/* SPDX-License-Identifier: MIT */
/* ymodem.h - receives one file over a serial line: YMODEM with CRC-16, blocks of 128 and 1024 bytes mixed at will.
 * Y1  The consumer gets each byte of the file once, in order, from blocks whose CRC was right, and no padding: a file
 *     ends at the size that the sender names, or where the consumer wants no more.  Bytes behind the end in the same
 *     block are padding if the sender named no size or a multiple of a block; if it named another, they are too many.
 * Y2  Every wait ends: a silent or babbling sender costs at most SPB_YMODEM_ERRORS timeouts, then the transfer ends.
 * Y3  Once the consumer wants no more, the file is DONE, unless more of the file comes.
 * Y4  An EOT before that ends the file only if another one, or silence, follows it directly. */
#ifndef SPB_YMODEM_H
#define SPB_YMODEM_H

#include "source.h"

#define SPB_YMODEM_ERRORS 10u

/* Receive one file.  The sender is called once a second, up to tries times, or until another source has one (source.h). */
enum spb_source_end spb_ymodem_receive(uint32_t tries);

#endif
