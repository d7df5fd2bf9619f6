/* SPDX-License-Identifier: MIT */
/* ymodem.h - receives one file by YMODEM, over any link that has a byte in, a byte out and a clock of milliseconds.
 * ymodem.c and ymodem.h are all there is: copy the two.  No heap, no C library; 1 KB of RAM for a block, one transfer
 * at a time.  YMODEM with CRC-16, blocks of 128 and 1024 bytes mixed at will, as `spboot send`, `sb` of lrzsz and
 * terminals send it.
 *  - Each byte of the file is handed on once, in order, from blocks whose CRC was right, and no padding.
 *  - Every wait ends: a silent or babbling sender costs at most ten waits, then the transfer ends.
 *  - The sender waits for the answer to each block: data() may take as long as it waits, 10 s at `spboot send`. */
#ifndef YMODEM_H
#define YMODEM_H

#include <stdbool.h>
#include <stdint.h>

#define YMODEM_NOTHING (-1)

struct ymodem {
    /* The link. */
    int (*get)(void *context, uint32_t timeout_ms); /* the next byte; YMODEM_NOTHING when none came in that time */
    void (*put)(void *context, uint8_t byte);
    uint32_t (*now_ms)(void *context);              /* from any start, and may go round */
    /* Who takes the file.  false refuses it, and the sender is told. */
    bool (*begin)(void *context, uint32_t size);    /* 0 when the sender does not tell it */
    bool (*data)(void *context, const uint8_t *bytes, uint32_t len);
    uint32_t (*wanted)(void *context);              /* bytes still wanted, 0 once the file is whole; null: as the sender says */
    void *context;                                  /* handed to all of them */
};

enum ymodem_end {
    YMODEM_DONE,            /* the file has ended, or is whole */
    YMODEM_NOBODY,          /* nobody sent one */
    YMODEM_CANCELLED,       /* the sender gave up */
    YMODEM_REFUSED,         /* begin() or data() did */
    YMODEM_ERRORS,          /* too many of them in a row */
    YMODEM_OTHER            /* it was not sent by YMODEM, as by XMODEM */
};

/* Receive one file.  The sender is called once a second, up to calls times. */
enum ymodem_end ymodem_receive(const struct ymodem *y, uint32_t calls);

#endif
