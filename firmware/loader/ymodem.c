/* SPDX-License-Identifier: MIT */
/* Forsberg, "XMODEM/YMODEM Protocol Reference", 1988: chapters 5 (batch) and 7 (CRC). */
#include "ymodem.h"

#include <stdbool.h>

#include "line.h"

enum { SOH = 0x01, STX = 0x02, EOT = 0x04, ACK = 0x06, NAK = 0x15, CAN = 0x18, CALL = 'C' };

#define BYTE_MS 1000u
#define QUIET_MS 200u
#define BLOCK_MS 10000u         /* a long one takes 8.6 s at 1,200 baud */
#define SHORT_BLOCK 128u
#define LONG_BLOCK 1024u
#define FOREIGN_BLOCKS 3u       /* heard instead of block 0, until the sender is told */
#define UNKNOWN (0u - SHORT_BLOCK)      /* no file has this size, and it is one of whole blocks */

static uint8_t block[LONG_BLOCK] __attribute__((section(".bootram")));

struct transfer {
    uint32_t len;               /* of the block received last */
    uint8_t number;             /* it carries */
    uint32_t left;              /* bytes of the file still to come, by its sender */
    bool padded;                /* they may include padding */
};

/* What came: a whole block, or one of the short answers. */
enum event { BLOCK, END, CANCELLED, SILENCE, GARBLED };

static uint16_t crc16(uint16_t crc, uint8_t byte) {
    crc ^= (uint16_t)(byte << 8);
    for (int i = 0; i < 8; i++) crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    return crc;
}

/* Wait until the sender pauses, so that an answer is not lost in what it still sends. */
static void purge(void) {
    uint32_t start = spb_line_ms();
    while (spb_line_get(QUIET_MS) != SPB_LINE_NOTHING && spb_line_ms() - start < 4 * BYTE_MS) {}
}

static int next(void) { return spb_line_get(BYTE_MS); }

static enum event receive_block(struct transfer *t, uint32_t len) {
    uint16_t crc = 0;
    uint32_t start = spb_line_ms();
    int number = next();
    int check = next();
    for (uint32_t i = 0; i < len; i++) {
        int byte = next();
        if (byte == SPB_LINE_NOTHING || spb_line_ms() - start > BLOCK_MS) return GARBLED;
        block[i] = (uint8_t)byte;
        crc = crc16(crc, (uint8_t)byte);
    }
    int high = next();
    int low = next();
    if (number < 0 || check < 0 || high < 0 || low < 0) return GARBLED;
    if ((number ^ check) != 0xFF || crc != (high << 8 | low)) return GARBLED;
    t->number = (uint8_t)number;
    t->len = len;
    return BLOCK;
}

static enum event receive(struct transfer *t, uint32_t timeout_ms) {
    int first = spb_line_get(timeout_ms);
    switch (first) {
    case SPB_LINE_NOTHING: return SILENCE;
    case SOH: return receive_block(t, SHORT_BLOCK);
    case STX: return receive_block(t, LONG_BLOCK);
    case EOT: return END;
    case CAN: return next() == CAN ? CANCELLED : GARBLED;
    default: return GARBLED;
    }
}

#define CANCELLED_BY_SENDER ((enum spb_source_end)TEXT("the sender gave up"))

/* Tell the sender. */
static enum spb_source_end stop(enum spb_source_end end) {
    purge();
    for (int i = 0; i < 8; i++) spb_line_put(CAN);
    purge();
    return end;
}

/* Block 0: name, NUL, size in decimal, then whatever the sender likes.  Anything else there is no size. */
static void read_size(struct transfer *t) {
    uint32_t i = 0;
    uint32_t size = 0, digit;
    while (i < t->len && block[i] != 0) i++;
    while (++i < t->len && (digit = block[i] - (uint32_t)'0') <= 9 && size <= (UINT32_MAX - 9) / 10) size = size * 10 + digit;
    t->left = size != 0 ? size : UNKNOWN;
    t->padded = t->left % SHORT_BLOCK == 0;
}

/* Call until block 0 comes. */
static enum spb_source_end call(struct transfer *t, uint32_t tries) {
    uint32_t foreign = 0;
    while (tries--) {
#if SPB_STICK
        if (spb_source_elsewhere()) break;
#endif
        spb_line_put(CALL);
        switch (receive(t, BYTE_MS)) {
        case BLOCK:
            if (t->number != 0) {
                if (++foreign == FOREIGN_BLOCKS) return stop((enum spb_source_end)TEXT("no block 0: send it by YMODEM"));
                break;
            }
            if (block[0] == 0) {         /* an empty batch */
                spb_line_put(ACK);
                return CANCELLED_BY_SENDER;
            }
            read_size(t);
            return SPB_SOURCE_DONE;
        case CANCELLED: return CANCELLED_BY_SENDER;
        case GARBLED: purge(); break;
        default: break;
        }
    }
    return SPB_SOURCE_NONE;
}

/* Y1.  Where there is no padding, all of it is the consumer's to judge. */
static enum spb_status consume(struct transfer *t) {
    const uint8_t *bytes = block;
    uint32_t len = t->len < t->left ? t->len : t->left;
    enum spb_status status = SPB_OK;
    t->left -= len;
    while (len > 0 && status == SPB_OK) {
        uint32_t now = t->padded ? spb_source_wanted() : len;
        if (now == 0 && bytes != block) break;
        if (now == 0 || now > len) now = len;
        status = spb_source_data(bytes, now);
        bytes += now;
        len -= now;
    }
    return status;
}

/* The file has ended; the batch ends with an empty block 0.  A sender that just stops is as good. */
static enum spb_source_end close_batch(struct transfer *t) {
    spb_line_put(ACK);
    for (uint32_t tries = 0; tries < 3; tries++) {
        spb_line_put(CALL);
        enum event event = receive(t, BYTE_MS);
        if (event == BLOCK && block[0] != 0) return stop(SPB_SOURCE_DONE);        /* a second file: one is enough */
        if (event == BLOCK || event == END) spb_line_put(ACK);
        if (event == BLOCK) break;
    }
    return SPB_SOURCE_DONE;
}

static enum spb_source_end receive_file(struct transfer *t) {
    enum spb_source_end result = (enum spb_source_end)TEXT("too many errors");
    uint8_t expected = 1;
    uint32_t errors = 0;
    bool end_seen = false;
    while (errors++ < SPB_YMODEM_ERRORS) {
        enum event event = receive(t, BYTE_MS);
        bool whole = spb_source_wanted() == 0;
        if (event == CANCELLED) return CANCELLED_BY_SENDER;
        if (event == END ? whole || end_seen : event == SILENCE && end_seen) return close_batch(t);     /* Y4 */
        end_seen = event == END;
        if (end_seen) continue;         /* unanswered: a NAK for noise would answer the block that follows it */
        if (event != BLOCK) {
            if (event == GARBLED) purge();
            spb_line_put(NAK);
            continue;
        }
        if (t->number == expected && t->left != 0) {            /* Y2: nothing comes behind the end that was named */
            if (consume(t) != SPB_OK) {
                result = SPB_SOURCE_REFUSED;
                break;
            }
            expected++;
            errors = 0;
        } else if (t->number != (uint8_t)(expected - 1)) {
            break;
        }
        spb_line_put(ACK);                                       /* our answer was lost, where a block comes again */
        if (expected == 1) spb_line_put(CALL);
    }
    return stop(result);
}

enum spb_source_end spb_ymodem_receive(uint32_t tries) {
    struct transfer t;
    enum spb_source_end result = call(&t, tries);
    if (result != SPB_SOURCE_DONE) return result;
    if (spb_source_begin(t.left != UNKNOWN ? t.left : 0) != SPB_OK) return stop(SPB_SOURCE_REFUSED);
    spb_line_put(ACK);
    spb_line_put(CALL);
    result = receive_file(&t);
    return result != SPB_SOURCE_REFUSED && spb_source_wanted() == 0 ? SPB_SOURCE_DONE : result;       /* Y3 */
}
