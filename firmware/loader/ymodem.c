/* SPDX-License-Identifier: MIT */
/* Forsberg, "XMODEM/YMODEM Protocol Reference", 1988: chapters 5 (batch) and 7 (CRC). */
#include "ymodem.h"

#include <stdbool.h>

enum { SOH = 0x01, STX = 0x02, EOT = 0x04, ACK = 0x06, NAK = 0x15, CAN = 0x18, CALL = 'C' };

#define BYTE_MS 1000u
#define QUIET_MS 200u
#define SHORT_BLOCK 128u

struct transfer {
    const struct spb_line *line;
    const struct spb_ymodem_sink *sink;
    uint8_t *block;
    uint32_t len;               /* of the block received last */
    uint8_t number;             /* it carries */
    uint32_t left;              /* bytes of the file still to come, when sized */
    bool sized;
};

/* What came: a whole block, or one of the short answers. */
enum event { BLOCK, END, CANCELLED, SILENCE, GARBLED };

static uint16_t crc16(uint16_t crc, uint8_t byte) {
    crc ^= (uint16_t)(byte << 8);
    for (int i = 0; i < 8; i++) crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    return crc;
}

/* Wait until the sender pauses, so that an answer is not lost in what it still sends. */
static void purge(const struct spb_line *line) {
    uint32_t start = line->now_ms();
    while (line->get(QUIET_MS) != SPB_LINE_NOTHING && line->now_ms() - start < 4 * BYTE_MS) {}
}

static int next(const struct transfer *t) { return t->line->get(BYTE_MS); }

static void send(const struct transfer *t, uint8_t byte) { t->line->put(byte); }

static enum event receive_block(struct transfer *t, uint32_t len) {
    uint16_t crc = 0;
    int number = next(t);
    int check = next(t);
    for (uint32_t i = 0; i < len; i++) {
        int byte = next(t);
        if (byte == SPB_LINE_NOTHING) return GARBLED;
        t->block[i] = (uint8_t)byte;
        crc = crc16(crc, (uint8_t)byte);
    }
    int high = next(t);
    int low = next(t);
    if (number < 0 || check < 0 || high < 0 || low < 0) return GARBLED;
    if ((number ^ check) != 0xFF || crc != (high << 8 | low)) return GARBLED;
    t->number = (uint8_t)number;
    t->len = len;
    return BLOCK;
}

static enum event receive(struct transfer *t, uint32_t timeout_ms) {
    int first = t->line->get(timeout_ms);
    switch (first) {
    case SPB_LINE_NOTHING: return SILENCE;
    case SOH: return receive_block(t, SHORT_BLOCK);
    case STX: return receive_block(t, SPB_YMODEM_BLOCK);
    case EOT: return END;
    case CAN: return next(t) == CAN ? CANCELLED : GARBLED;
    default: return GARBLED;
    }
}

static enum spb_ymodem_result stop(struct transfer *t, enum spb_ymodem_result result) {
    purge(t->line);
    for (int i = 0; i < 8; i++) send(t, CAN);
    purge(t->line);
    return result;
}

/* Block 0: name, NUL, size in decimal, then whatever the sender likes. */
static void read_size(struct transfer *t) {
    uint32_t i = 0;
    t->left = 0;
    t->sized = false;
    while (i < t->len && t->block[i] != 0) i++;
    for (i++; i < t->len && t->block[i] >= '0' && t->block[i] <= '9'; i++) {
        if (t->left > (UINT32_MAX - 9) / 10) return;
        t->left = t->left * 10 + (uint32_t)(t->block[i] - '0');
        t->sized = true;
    }
}

/* Call until block 0 comes. */
static enum spb_ymodem_result call(struct transfer *t, uint32_t tries) {
    while (tries--) {
        send(t, CALL);
        switch (receive(t, BYTE_MS)) {
        case BLOCK:
            if (t->number != 0) break;
            if (t->block[0] == 0) {         /* an empty batch */
                send(t, ACK);
                return SPB_YMODEM_CANCELLED;
            }
            read_size(t);
            return SPB_YMODEM_DONE;
        case CANCELLED: return SPB_YMODEM_CANCELLED;
        case GARBLED: purge(t->line); break;
        default: break;
        }
    }
    return SPB_YMODEM_NO_SENDER;
}

static enum spb_status consume(struct transfer *t) {
    uint32_t len = t->len;
    if (t->sized && len > t->left) len = t->left;
    t->left -= t->sized ? len : 0;
    return len == 0 ? SPB_OK : t->sink->data(t->block, len);
}

/* The file is whole; the batch ends with an empty block 0.  A sender that just stops is as good. */
static enum spb_ymodem_result close_batch(struct transfer *t) {
    send(t, ACK);
    for (uint32_t tries = 0; tries < 3; tries++) {
        send(t, CALL);
        enum event event = receive(t, BYTE_MS);
        if (event == BLOCK && t->number == 0) {
            if (t->block[0] != 0) return stop(t, SPB_YMODEM_DONE);      /* a second file: one is enough */
            send(t, ACK);
            break;
        }
        if (event == END) send(t, ACK);
        if (event == CANCELLED) break;
    }
    return SPB_YMODEM_DONE;
}

static enum spb_ymodem_result receive_file(struct transfer *t) {
    uint8_t expected = 1;
    uint32_t errors = 0;
    bool end_seen = false;
    while (errors < SPB_YMODEM_ERRORS) {
        switch (receive(t, BYTE_MS)) {
        case BLOCK:
            if (t->number == (uint8_t)(expected - 1)) {     /* our answer was lost: it comes again */
                send(t, ACK);
                if (expected == 1) send(t, CALL);
                errors++;
                break;
            }
            if (t->number != expected) return stop(t, SPB_YMODEM_LINE_ERROR);
            if (consume(t) != SPB_OK) return stop(t, SPB_YMODEM_REFUSED);
            send(t, ACK);
            expected++;
            errors = 0;
            break;
        case END:                                           /* asked again, lest noise end a file */
            if (end_seen) return close_batch(t);
            end_seen = true;
            send(t, NAK);
            break;
        case CANCELLED: return SPB_YMODEM_CANCELLED;
        case GARBLED: purge(t->line); /* fall through */
        default:
            send(t, NAK);
            errors++;
        }
    }
    return stop(t, SPB_YMODEM_LINE_ERROR);
}

enum spb_ymodem_result spb_ymodem_receive(const struct spb_line *line, const struct spb_ymodem_sink *sink,
                                          uint8_t *block, uint32_t tries) {
    struct transfer t = {.line = line, .sink = sink, .block = block};
    enum spb_ymodem_result result = call(&t, tries);
    if (result != SPB_YMODEM_DONE) return result;
    if (sink->begin(t.sized ? t.left : 0) != SPB_OK) return stop(&t, SPB_YMODEM_REFUSED);
    line->put(ACK);
    line->put(CALL);
    return receive_file(&t);
}
