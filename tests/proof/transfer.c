/* SPDX-License-Identifier: MIT */
/* transfer.c - a whole transfer: it ends (Y2), whatever the sender does.
 * Bound: FILE_SIZE bytes are wanted, so that the blocks that bring some come to an end, and TRIES calls.  What comes is any
 * event, and what is taken of it any number of bytes, as ymodem.c proves of receive(), read_size(), consume(), purge(). */
#include "proof.h"

#include <stddef.h>

#include "loader/ymodem.c"

#define FILE_SIZE 2u
#define TRIES 2u

static uint32_t taken, named;
static bool begun, refused;

static void purge(void) {}

static enum event receive(struct transfer *t, uint32_t timeout_ms) {
    PROVE(timeout_ms <= BYTE_MS, "Y2: every wait ends");
    enum event event = (enum event)any_below(GARBLED + 1);
    if (event == BLOCK) {
        t->len = any_bool() ? SHORT_BLOCK : LONG_BLOCK;
        t->number = (uint8_t)any_below(256);
        block[0] = (uint8_t)any_below(2);
    }
    return event;
}

static void read_size(struct transfer *t) {
    t->left = any_u32();
    ASSUME(t->left != 0);
    t->padded = t->left % SHORT_BLOCK == 0;
}

static enum spb_status consume(struct transfer *t) {
    uint32_t most = t->len < t->left ? t->len : t->left;
    PROVE(begun && !refused, "Y1: nothing comes before the file, or behind an error");
    PROVE(most > 0, "Y2: a block brings something");
    t->left -= most;
    uint32_t n = 1 + any_below(most);
    refused = n > FILE_SIZE - taken || any_bool();
    if (refused) return SPB_E_TOO_MANY_BYTES;
    taken += n;
    PROVE(named == 0 || taken <= named, "Y1: not more than the sender named");
    return SPB_OK;
}

void spb_line_put(uint8_t byte) { PROVE(byte == CALL || byte == ACK || byte == NAK || byte == CAN, "answers are known ones"); }

uint32_t spb_line_ms(void) { return any_u32(); }

int spb_line_get(uint32_t timeout_ms) { return timeout_ms != 0 ? (int)any_below(257) - 1 : SPB_LINE_NOTHING; }

enum spb_status spb_source_begin(uint32_t size) {
    PROVE(!begun, "a file begins once");
    begun = true;
    named = size;
    return any_bool() ? SPB_OK : SPB_E_INVALID_STATE;
}

enum spb_status spb_source_data(const uint8_t *data, uint32_t len) { return data != NULL && len > 0 ? SPB_OK : SPB_E_BUSY; }

uint32_t spb_source_wanted(void) { return FILE_SIZE - taken; }

int main(void) {
    enum spb_source_end end = spb_ymodem_receive(TRIES);
    PROVE(end == SPB_SOURCE_DONE || end == SPB_SOURCE_NONE || end == SPB_SOURCE_REFUSED || spb_source_has_reason(end),
          "it ends in one of the known ways");
    if (taken == FILE_SIZE && !refused) PROVE(end == SPB_SOURCE_DONE, "Y3: a file that is whole is done");
    if (refused) PROVE(end == SPB_SOURCE_REFUSED, "the consumer's refusal comes through");
    if (end == SPB_SOURCE_NONE) PROVE(!begun, "without a file, none has begun");
    return 0;
}
