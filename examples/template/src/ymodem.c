/* SPDX-License-Identifier: MIT */
/* Forsberg, "XMODEM/YMODEM Protocol Reference", 1988: chapters 5 (batch) and 7 (CRC). */
#include "ymodem.h"

#include <stddef.h>

enum { SOH = 0x01, STX = 0x02, EOT = 0x04, ACK = 0x06, NAK = 0x15, CAN = 0x18, CALL = 'C' };

#define BYTE_MS 1000u
#define QUIET_MS 200u
#define BLOCK_MS 10000u         /* a long one takes 8.6 s at 1,200 baud */
#define SHORT_BLOCK 128u
#define LONG_BLOCK 1024u
#define ERRORS 10u
#define FOREIGN_BLOCKS 3u       /* heard instead of block 0, until the sender is told */
#define UNKNOWN (0u - SHORT_BLOCK)      /* no file has this size, and it is one of whole blocks */

struct transfer {
    const struct ymodem *y;
    uint32_t len;               /* of the block received last */
    uint8_t number;             /* it carries */
    uint32_t left;              /* bytes of the file still to come, by its sender */
    bool padded;                /* they may include padding */
};

/* What came: a whole block, or one of the short answers. */
enum event { BLOCK, END, CANCELLED, SILENCE, GARBLED };

static uint8_t block[LONG_BLOCK];

static int get(const struct transfer *t, uint32_t timeout_ms) { return t->y->get(t->y->context, timeout_ms); }

static void put(const struct transfer *t, uint8_t byte) { t->y->put(t->y->context, byte); }

static uint32_t now_ms(const struct transfer *t) { return t->y->now_ms(t->y->context); }

/* Bytes that are wanted yet.  Whoever does not count takes what the sender says, and never knows better if it says
 * nothing. */
static uint32_t wanted(const struct transfer *t) {
    if (t->y->wanted != NULL) return t->y->wanted(t->y->context);
    return t->padded && t->left != 0 ? 1 : t->left;
}

static uint16_t crc16(uint16_t crc, uint8_t byte) {
    crc = (uint16_t)(crc ^ byte << 8);
    for (int i = 0; i < 8; i++) crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    return crc;
}

/* Wait until the sender pauses, so that an answer is not lost in what it still sends. */
static void purge(const struct transfer *t) {
    uint32_t start = now_ms(t);
    while (get(t, QUIET_MS) != YMODEM_NOTHING && now_ms(t) - start < 4 * BYTE_MS) {}
}

static enum event receive_block(struct transfer *t, uint32_t len) {
    uint16_t crc = 0;
    uint32_t start = now_ms(t);
    int number = get(t, BYTE_MS);
    int check = get(t, BYTE_MS);
    for (uint32_t i = 0; i < len; i++) {
        int byte = get(t, BYTE_MS);
        if (byte == YMODEM_NOTHING || now_ms(t) - start > BLOCK_MS) return GARBLED;
        block[i] = (uint8_t)byte;
        crc = crc16(crc, (uint8_t)byte);
    }
    int high = get(t, BYTE_MS);
    int low = get(t, BYTE_MS);
    if (number < 0 || check < 0 || high < 0 || low < 0) return GARBLED;
    if ((number ^ check) != 0xFF || crc != (high << 8 | low)) return GARBLED;
    t->number = (uint8_t)number;
    t->len = len;
    return BLOCK;
}

static enum event receive(struct transfer *t, uint32_t timeout_ms) {
    switch (get(t, timeout_ms)) {
    case YMODEM_NOTHING: return SILENCE;
    case SOH: return receive_block(t, SHORT_BLOCK);
    case STX: return receive_block(t, LONG_BLOCK);
    case EOT: return END;
    case CAN: return get(t, BYTE_MS) == CAN ? CANCELLED : GARBLED;
    default: return GARBLED;
    }
}

/* Tell the sender. */
static enum ymodem_end stop(const struct transfer *t, enum ymodem_end end) {
    purge(t);
    for (int i = 0; i < 8; i++) put(t, CAN);
    purge(t);
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
static enum ymodem_end call(struct transfer *t, uint32_t calls) {
    uint32_t foreign = 0;
    while (calls--) {
        put(t, CALL);
        switch (receive(t, BYTE_MS)) {
        case BLOCK:
            if (t->number != 0) {
                if (++foreign == FOREIGN_BLOCKS) return stop(t, YMODEM_OTHER);
                break;
            }
            if (block[0] == 0) {         /* an empty batch */
                put(t, ACK);
                return YMODEM_CANCELLED;
            }
            read_size(t);
            return YMODEM_DONE;
        case CANCELLED: return YMODEM_CANCELLED;
        case GARBLED: purge(t); break;
        default: break;
        }
    }
    return YMODEM_NOBODY;
}

/* Where there is no padding, all of it is for the taker to judge. */
static bool consume(struct transfer *t) {
    const uint8_t *bytes = block;
    uint32_t len = t->len < t->left ? t->len : t->left;
    bool taken = true;
    t->left -= len;
    while (len > 0 && taken) {
        uint32_t now = t->padded && t->y->wanted != NULL ? wanted(t) : len;
        if (now == 0 && bytes != block) break;
        if (now == 0 || now > len) now = len;
        taken = t->y->data(t->y->context, bytes, now);
        bytes += now;
        len -= now;
    }
    return taken;
}

/* The file has ended; the batch ends with an empty block 0.  A sender that just stops is as good. */
static enum ymodem_end close_batch(struct transfer *t) {
    put(t, ACK);
    for (uint32_t tries = 0; tries < 3; tries++) {
        put(t, CALL);
        enum event event = receive(t, BYTE_MS);
        if (event == BLOCK && block[0] != 0) return stop(t, YMODEM_DONE);        /* a second file: one is enough */
        if (event == BLOCK || event == END) put(t, ACK);
        if (event == BLOCK) break;
    }
    return YMODEM_DONE;
}

static enum ymodem_end receive_file(struct transfer *t) {
    enum ymodem_end result = YMODEM_ERRORS;
    uint8_t expected = 1;
    uint32_t errors = 0;
    bool end_seen = false;
    while (errors++ < ERRORS) {
        enum event event = receive(t, BYTE_MS);
        bool whole = wanted(t) == 0;
        if (event == CANCELLED) return YMODEM_CANCELLED;
        if (event == END ? whole || end_seen : event == SILENCE && end_seen) return close_batch(t);
        end_seen = event == END;
        if (end_seen) continue;         /* unanswered: a NAK for noise would answer the block that follows it */
        if (event != BLOCK) {
            if (event == GARBLED) purge(t);
            put(t, NAK);
            continue;
        }
        if (t->number == expected && t->left != 0) {            /* nothing comes behind the end that was named */
            if (!consume(t)) {
                result = YMODEM_REFUSED;
                break;
            }
            expected++;
            errors = 0;
        } else if (t->number != (uint8_t)(expected - 1)) {
            break;
        }
        put(t, ACK);                                             /* our answer was lost, where a block comes again */
        if (expected == 1) put(t, CALL);
    }
    return stop(t, result);
}

enum ymodem_end ymodem_receive(const struct ymodem *y, uint32_t calls) {
    struct transfer t;
    t.y = y;
    enum ymodem_end result = call(&t, calls);
    if (result != YMODEM_DONE) return result;
    if (!y->begin(y->context, t.left != UNKNOWN ? t.left : 0)) return stop(&t, YMODEM_REFUSED);
    put(&t, ACK);
    put(&t, CALL);
    result = receive_file(&t);
    return result != YMODEM_REFUSED && wanted(&t) == 0 ? YMODEM_DONE : result;
}
