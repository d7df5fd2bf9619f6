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

/* Receive; calls the sender every second, tries times. */
enum spb_ymodem_result spb_ymodem_receive(uint32_t tries);

/* The consumer: whoever receives defines these three.  An error ends the transfer; size is 0 when the sender does not
 * say. */
enum spb_status spb_ymodem_begin(uint32_t size);
enum spb_status spb_ymodem_data(const uint8_t *data, uint32_t len);

/* Bytes that are wanted for certain, 0 once the file is whole.  Asked again whenever they are there. */
uint32_t spb_ymodem_wanted(void);

#endif
