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

#include "status.h"

#define SPB_YMODEM_ERRORS 10u

enum spb_ymodem_result {
    SPB_YMODEM_DONE,            /* all of the file was consumed */
    SPB_YMODEM_NO_SENDER,       /* nobody answered in time */
    SPB_YMODEM_CANCELLED,       /* the sender gave up */
    SPB_YMODEM_LINE_ERROR,      /* too many errors on the line */
    SPB_YMODEM_NO_BLOCK_0,      /* blocks without the one that names the file: XMODEM, or the middle of a file */
    SPB_YMODEM_REFUSED          /* the consumer refused a byte, and the sender was told to stop */
};

/* Receive one file.  The sender is called once a second, up to tries times. */
enum spb_ymodem_result spb_ymodem_receive(uint32_t tries);

/* The consumer: whoever receives defines these three functions.  An error ends the transfer.  size is 0 when the sender
 * does not name it. */
enum spb_status spb_ymodem_begin(uint32_t size);
enum spb_status spb_ymodem_data(const uint8_t *data, uint32_t len);

/* Number of bytes that are certainly wanted, 0 once the file is whole.  Called again when that many have come. */
uint32_t spb_ymodem_wanted(void);

#endif
