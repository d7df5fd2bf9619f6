/* SPDX-License-Identifier: MIT */
/* ymodem.c - what the receiver does with a block.
 * Bound: blocks of 8 and 16 bytes in place of 128 and 1024, on which nothing depends but how often loops run.  Any bytes,
 * any pauses, any consumer.  The CRC is any value, but one step of
 * it is proven to be the division of the standard.  The whole transfer is in transfer.c.
 * Y1: the consumer gets the bytes of the file that the block has, in order, and no others. */
#include "proof.h"

static uint16_t crc16(uint16_t crc, uint8_t byte) {
    (void)crc, (void)byte;
    return (uint16_t)any_below(1u << 16);
}

#include "loader/ymodem.c"

static uint32_t wanted, given, clock_ms;
static uint32_t least_ms;
static const uint8_t *expected_at;

void spb_line_put(uint8_t byte) { (void)byte; }

uint32_t spb_line_ms(void) { return clock_ms += least_ms + any_below(BLOCK_MS); }

int spb_line_get(uint32_t timeout_ms) {
    PROVE(timeout_ms <= BLOCK_MS, "every wait ends");
    return (int)any_below(257) - 1;
}

enum spb_status spb_source_begin(uint32_t size) { return size == 0 ? SPB_OK : SPB_E_BUSY; }

enum spb_status spb_source_data(const uint8_t *data, uint32_t len) {
    PROVE(data == expected_at && len > 0, "Y1: each byte once, in order");
    PROVE(data >= block && READABLE(data, len), "Y1: out of the block");
    expected_at += len;
    given += len;
    wanted = any_u32();
    return any_bool() ? SPB_OK : SPB_E_TOO_MANY_BYTES;
}

uint32_t spb_source_wanted(void) { return wanted; }

/* It ends while the clock runs, whatever comes: a quarter of a second a byte here, and nothing but the clock goes from one
 * byte to the next. */
static void prove_purge(void) {
    least_ms = BYTE_MS / 4;
    purge();
    least_ms = 0;
}

static uint32_t any_len(void) { return any_bool() ? SHORT_BLOCK : LONG_BLOCK; }

/* The remainder of the division by x^16 + x^12 + x^5 + 1 is linear, so bytes and remainders add up. */
static void prove_crc(void) {
    uint16_t crc = (uint16_t)any_below(1u << 16);
    uint8_t byte = (uint8_t)any_below(256);
    uint32_t rest = (uint32_t)crc << 8 ^ (uint32_t)byte << 16;
    for (uint32_t bit = 1u << 23; bit >= 1u << 16; bit >>= 1) {
        if (rest & bit) rest ^= 0x11021u * (bit >> 16);
    }
    PROVE(real_crc16(crc, byte) == rest, "a step of the CRC is a division");
}

static void prove_block(void) {
    struct transfer t = {.len = any_u32(), .number = (uint8_t)any_below(256)};
    uint32_t len = any_len();
    enum event event = receive_block(&t, len);
    PROVE(event == BLOCK || event == GARBLED, "a block is whole or it is not");
    if (event == BLOCK) PROVE(t.len == len, "and as long as it was announced");
}

static void prove_size(void) {
    struct transfer t = {.len = any_len()};
    ANY(block);
    read_size(&t);
    PROVE(t.left != 0, "a file has at least a byte");
    PROVE(t.padded == (t.left % SHORT_BLOCK == 0), "what may be padded");
}

static void prove_consume(void) {
    struct transfer t = {.len = any_len(), .left = any_u32(), .padded = any_bool()};
    uint32_t left = t.left, most = t.len < left ? t.len : left;
    wanted = any_u32();
    expected_at = block;
    enum spb_status status = consume(&t);
    PROVE(given <= most, "Y1: no more than the file has");
    PROVE(t.left == left - most, "and no more is expected than is to come");
    if (status == SPB_OK && most > 0) PROVE(given > 0, "Y2: a block of a file that goes on brings a byte");
    if (status == SPB_OK && !t.padded) PROVE(given == most, "Y1: without padding, all of it");
}

int main(void) {
    prove_crc();
    prove_purge();
    prove_block();
    prove_size();
    prove_consume();
    return 0;
}
