/* SPDX-License-Identifier: MIT */
/* ymodem.c - fuzzer: the input is what a sender does on the line; the receiver's answers decide when it goes on.
 * Head: u8 flags, u16 size of the file, u8 lengths of its blocks, a bit each in turn, u8 what the consumer does not want.
 * Then acts of a byte, and what they need: the next block, the one before again, the one after next, a block that is cut or
 * has a changed byte, ends, cancels, pauses.  With FREE in the flags the rest are bytes of the line as they come; no promise
 * holds then but that it ends (Y2) and that nothing is read or written where it must not be.
 * Y1: the consumer gets the bytes of the file once, in order, and no padding.  Y3: a file that is whole is done.  Y4: one EOT
 * alone ends none that is not. */
#include <string.h>

#include "fuzz.h"
#include "loader/ymodem.c"

#define FREE 1u             /* the input is the line */
#define AGAIN 2u            /* and comes again and again: a babbler */
#define NAMED 4u            /* block 0 has the size */
#define NAME_ONLY 8u      /* a name, without an end, in a long block */
#define MOST 8000u
#define TRIES 3u
#define GETS 600000u        /* bytes and pauses of a transfer: what ten errors and some calls can cost at a byte a millisecond */

uint32_t fuzz_accepted;

static struct fuzz_input input;
static const uint8_t *again;
static struct {
    uint8_t bytes[LONG_BLOCK + 5];
    uint32_t at, len;               /* of what is being sent */
    uint32_t number;                /* of the block that is next: 0 names the file */
    uint32_t off[2];                /* in the file, of the next block and of the one before */
    uint8_t lengths, flags;
    bool answered;
} sender;
static uint32_t file_size, clock_ms, gets, taken, refuse_at;
static bool begun, refused;
static enum { NO_EOT, ONE_EOT, END_OF_FILE } heard;     /* the last is: a second one, or silence behind it */

static uint8_t of_file(uint32_t off) { return (uint8_t)(0x80 | (off ^ off >> 7 ^ off >> 11)); }

static bool is_long(uint32_t number) { return (sender.lengths >> number % 8 & 1) != 0; }

static void close_block(uint32_t number, uint32_t len) {
    uint16_t crc = 0;
    sender.bytes[0] = len == LONG_BLOCK ? STX : SOH;
    sender.bytes[1] = (uint8_t)number;
    sender.bytes[2] = (uint8_t)~number;
    for (uint32_t i = 0; i < len; i++) crc = crc16(crc, sender.bytes[3 + i]);
    sender.bytes[3 + len] = (uint8_t)(crc >> 8);
    sender.bytes[4 + len] = (uint8_t)crc;
    sender.at = 0;
    sender.len = len + 5;
}

static bool has_size(void) { return (sender.flags & (NAMED | NAME_ONLY)) == NAMED; }

static void send_name(void) {
    memset(sender.bytes, sender.flags & NAME_ONLY ? 'n' : 0, sizeof sender.bytes);
    sender.bytes[3] = 'f';
    if (has_size()) (void)snprintf((char *)sender.bytes + 5, SHORT_BLOCK - 2, "%u 0 0", (unsigned)file_size);
    close_block(0, sender.flags & NAME_ONLY ? LONG_BLOCK : SHORT_BLOCK);
}

/* The block of that number, which begins at off of the file; padded behind its end. */
static void send_data(uint32_t number, uint32_t off) {
    uint32_t len = is_long(number) ? LONG_BLOCK : SHORT_BLOCK;
    for (uint32_t i = 0; i < len; i++) sender.bytes[3 + i] = off + i < file_size ? of_file(off + i) : 0x1A;
    close_block(number, len);
}

static void send_next(void) {
    if (sender.number == 0) {
        send_name();
    } else if (sender.off[0] < file_size) {
        send_data(sender.number, sender.off[0]);
        sender.off[1] = sender.off[0];
        sender.off[0] += is_long(sender.number) ? LONG_BLOCK : SHORT_BLOCK;
    } else {
        sender.len = sender.at = 0;
        return;
    }
    sender.number++;
}

static void send_before(void) {
    if (sender.number == 1) send_name();
    else if (sender.number > 1) send_data(sender.number - 1, sender.off[1]);
}

static void send_byte(uint8_t byte) {
    sender.bytes[0] = byte;
    sender.at = 0;
    sender.len = 1;
}

/* The next act: false at the end of the input. */
static bool act(void) {
    if (input.at == input.end) return false;
    uint32_t at = 1;
    switch (fuzz_u8(&input) % 12) {
    case 0: case 1: case 2: case 3: send_next(); break;
    case 4: send_before(); break;
    case 5:
        send_before();
        if (sender.len > 1) sender.len = 1 + fuzz_u16(&input) % sender.len;
        break;
    case 6:
        send_before();
        at += fuzz_u16(&input) % 1028;
        if (at < sender.len) sender.bytes[at] ^= (uint8_t)(1 + fuzz_u8(&input) % 255);
        else sender.len = 0;
        break;
    case 7: send_byte(EOT); break;
    case 8: send_byte(CAN); break;
    case 9: send_byte(fuzz_u8(&input) | 0x80); break;
    case 10: if (sender.number > 0 && sender.off[0] < file_size) send_data(sender.number + 1, sender.off[0]); break;
    default: sender.len = 0;
    }
    return true;
}

static int pause_for(uint32_t timeout_ms) {
    if (heard == ONE_EOT) heard = END_OF_FILE;
    clock_ms += timeout_ms;
    return SPB_LINE_NOTHING;
}

static int free_byte(uint32_t timeout_ms) {
    if (input.at == input.end && (sender.flags & AGAIN)) input.at = again;
    if (input.at == input.end) return pause_for(timeout_ms);
    clock_ms++;
    return *input.at++;
}

int spb_line_get(uint32_t timeout_ms) {
    FUZZ_CHECK(++gets < GETS, "Y2: a transfer ends");
    FUZZ_CHECK(timeout_ms <= BLOCK_MS, "Y2: every wait ends");
    if (sender.flags & FREE) return free_byte(timeout_ms);
    if (sender.at >= sender.len) {
        bool silent = !sender.answered && timeout_ms < BYTE_MS;     /* it waits for an answer, a second at least */
        sender.answered = false;
        sender.at = sender.len = 0;
        if (silent || !act() || sender.len == 0) return pause_for(timeout_ms);
    }
    clock_ms++;
    if (sender.len == 1 && sender.bytes[0] == EOT) heard = heard == NO_EOT ? ONE_EOT : END_OF_FILE;
    else if (heard == ONE_EOT) heard = NO_EOT;
    return sender.bytes[sender.at++];
}

void spb_line_put(uint8_t byte) {
    FUZZ_CHECK(byte == CALL || byte == ACK || byte == NAK || byte == CAN, "answers are known ones");
    FUZZ_CHECK(byte != ACK || heard != ONE_EOT || taken == file_size, "Y4: an EOT is not believed at once");
    sender.answered = true;
}

uint32_t spb_line_ms(void) { return clock_ms; }

enum spb_status spb_source_begin(uint32_t size) {
    FUZZ_CHECK(!begun, "a file begins once");
    begun = true;
    if (!(sender.flags & FREE)) FUZZ_CHECK(size == (has_size() ? file_size : 0), "Y1: the size that was named");
    return SPB_OK;
}

enum spb_status spb_source_data(const uint8_t *data, uint32_t len) {
    FUZZ_CHECK(begun && !refused, "Y1: nothing comes before the file, or behind an error");
    FUZZ_CHECK(len > 0 && len <= LONG_BLOCK, "Y1: bytes of a block");
    for (uint32_t i = 0; i < len; i++) {
        if (sender.flags & FREE) continue;
        FUZZ_CHECK(taken + i < file_size, "Y1: no padding");
        FUZZ_CHECK(data[i] == of_file(taken + i), "Y1: the bytes of the file, once, in order");
    }
    taken += len;
    refused = taken > file_size || (refuse_at != 0 && taken >= refuse_at);
    return refused ? SPB_E_TOO_MANY_BYTES : SPB_OK;
}

/* As an update: that there is more is known before how much. */
uint32_t spb_source_wanted(void) { return taken < 140 && taken < file_size ? 1 : file_size - taken; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input = (struct fuzz_input){data, data + size};
    memset(&sender, 0, sizeof sender);
    memset(block, 0, sizeof block);
    clock_ms = gets = taken = 0;
    begun = refused = false;
    heard = NO_EOT;
    sender.flags = fuzz_u8(&input);
    file_size = 1 + fuzz_u16(&input) % MOST;
    sender.lengths = fuzz_u8(&input);
    refuse_at = fuzz_u8(&input);
    refuse_at = refuse_at < 240 ? 0 : (refuse_at - 239) * 500;
    again = input.at;
    enum spb_source_end end = spb_ymodem_receive(TRIES);
    FUZZ_CHECK(end <= SPB_SOURCE_REFUSED, "it ends in one of the known ways");
    FUZZ_CHECK(end != SPB_SOURCE_NONE || !begun, "without a file, none has begun");
    if (taken == file_size && !refused) FUZZ_CHECK(end == SPB_SOURCE_DONE, "Y3: a file that is whole is done");
    if (refused) FUZZ_CHECK(end == SPB_SOURCE_REFUSED, "the consumer's refusal comes through");
    fuzz_accepted += end == SPB_SOURCE_DONE && taken == file_size;
    return 0;
}
