/* SPDX-License-Identifier: MIT */
/* storage.c - fuzzer: the input is what a USB device answers; behind its end it is a good flash drive.
 * Head: u16 length of the configuration descriptor, 0 for a good one, bit 15 for a slow device, and its bytes.  Then an act for each transfer, and what it
 * needs: as a good one, a STALL, no answer, pulled out, less than was asked for, other bytes, late, too late.
 * V1: parsing looks at no byte behind what came; what it takes has endpoints that can be.  K1: it ends, in bounded time.
 * T1: nothing but reading is asked for.  T2: a sector that is said to be there came whole, with a status that says so. */
#include <string.h>

#include "fuzz.h"
#include "usb/storage.c"

#define SECTORS 16u
#define MOST_MS 60000u          /* of an opening, and half of it of a sector */
#define MOST_TRANSFERS 4000u

uint32_t fuzz_accepted;

static struct fuzz_input input;
static uint8_t configuration[400];
static uint32_t configuration_len;
static struct {
    uint8_t setup[8], cbw[31];
    enum { IDLE, DATA, STATUS } stage;
    uint32_t moved;             /* of the data stage */
    bool good, gone;            /* the last status said so */
} device;
static uint32_t clock_ms, transfers;
static bool slow;

static const uint8_t fine[] = {9, 2, 32, 0, 1, 1, 0, 0x80, 50, 9, 4, 0, 0, 2, 8, 6, 0x50, 0, 7, 5, 0x81, 2, 64, 0, 0, 7, 5, 2, 2, 64, 0, 0};
static const uint8_t described[] = {18, 1, 0, 2, 0, 0, 0, 64, 1, 2, 3, 4, 0, 1, 0, 0, 0, 1};

static void alive(void) {}
const struct spb_port spb_port = {.alive = alive};

/* A good one's sector. */
static uint8_t of_disk(uint32_t lba, uint32_t at) { return (uint8_t)(lba * 37 + at * 11 + (at >> 8)); }

uint32_t spb_line_ms(void) { return ++clock_ms; }
enum spb_text spb_bus_start(void) { return SPB_TEXT_NONE; }
void spb_bus_stop(void) {}
bool spb_bus_connected(void) { return !device.gone; }
bool spb_bus_overloaded(void) { return false; }
enum spb_text spb_bus_reset(void) {
    device.stage = IDLE;
    return SPB_TEXT_NONE;
}

/* What a good one gives for what it was asked at endpoint 0. */
static uint32_t controlled(uint8_t *to, uint32_t len) {
    const uint8_t *from = device.setup[3] == 1 ? described : configuration;
    uint32_t have = device.setup[3] == 1 ? sizeof described : configuration_len;
    if (device.setup[1] == GET_MAX_LUN) have = 0;
    if (have < len) len = have;
    memcpy(to, from, len);
    return len;
}

/* The same for a command. */
static uint32_t commanded(uint8_t *to, uint32_t len) {
    const uint8_t *block = device.cbw + 15;
    memset(to, 0, len);
    if (block[0] == READ) {
        for (uint32_t i = 0; i < len; i++) to[i] = of_disk(block[5], i);
    } else if (block[0] == READ_CAPACITY) {
        to[3] = SECTORS - 1;
        to[6] = 2;
    }
    device.moved = len;
    return len;
}

static void take_command(const uint8_t *data, uint32_t len) {
    FUZZ_CHECK(len == CBW_LEN && !memcmp(data, "USBC", 4), "a command has 31 bytes");
    memcpy(device.cbw, data, len);
    uint8_t op = data[15];
    FUZZ_CHECK(op == TEST_UNIT_READY || op == REQUEST_SENSE || op == INQUIRY || op == READ_CAPACITY || op == READ, "T1");
    FUZZ_CHECK(op != READ || (data[12] == INTO_HOST && data[17] == 0 && data[20] < SECTORS), "no sector behind the end");
    device.stage = data[8] != 0 || data[9] != 0 ? DATA : STATUS;
    device.moved = 0;
    device.good = false;
}

static uint32_t give(const struct spb_pipe *pipe, uint8_t *data, uint32_t len) {
    if (pipe->endpoint == 0) return device.setup[0] & 0x80 ? controlled(data, len) : 0;
    if (device.stage == DATA) {
        device.stage = STATUS;
        return commanded(data, len);
    }
    device.stage = IDLE;
    uint8_t csw[CSW_LEN] = {'U', 'S', 'B', 'S'};
    memcpy(csw + 4, device.cbw + 4, 4);
    memcpy(data, csw, len < sizeof csw ? len : sizeof csw);
    return len < sizeof csw ? len : sizeof csw;
}

int32_t spb_bus_transfer(struct spb_pipe *pipe, enum spb_way way, uint8_t *data, uint32_t len) {
    bool control = pipe->endpoint == 0;
    uint32_t timeout_ms = control ? SPB_BUS_CONTROL_MS : SPB_BUS_BULK_MS, got;
    FUZZ_CHECK(++transfers < MOST_TRANSFERS, "K1: it ends");
    FUZZ_CHECK(pipe->size == 8 || pipe->size == 16 || pipe->size == 32 || pipe->size == 64, "packets that can be");
    uint32_t act = fuzz_u8(&input), less;
    bool status = !control && way == SPB_IN && device.stage != DATA;
    FUZZ_CHECK(pipe->next == SPB_DATA0 || pipe->next == SPB_DATA1 || (control && pipe->next == SPB_SETUP), "packets that can be");
    clock_ms++;
    if (device.gone) return SPB_BUS_GONE;
    switch (act % 16) {
    case 1: return SPB_BUS_STALL;
    case 2: return SPB_BUS_FAILED;
    case 3: device.gone = true; return SPB_BUS_GONE;
    case 4: clock_ms += timeout_ms; return SPB_BUS_FAILED;
    case 7: clock_ms += timeout_ms - 1; break;
    default: clock_ms += slow ? timeout_ms - 1 : 0; break;
    }
    if (pipe->next == SPB_SETUP) memcpy(device.setup, data, 8);
    else if (way == SPB_OUT && !control) take_command(data, len);
    pipe->next ^= SPB_DATA0 ^ SPB_DATA1;
    if (way != SPB_IN) return (int32_t)len;
    got = give(pipe, data, len);
    less = act % 16 == 5 ? fuzz_u16(&input) % (len + 1) : len;
    if (less < got) got = less;
    if (act % 16 == 6) {
        for (uint32_t i = 0, from = fuzz_u8(&input); from + i < got && i < 16; i++) data[from + i] = fuzz_u8(&input);
    }
    if (device.stage == STATUS && !status && !control) device.moved = got;
    if (status) {
        static const uint8_t done[5];
        device.good = got == CSW_LEN && !memcmp(data, "USBS", 4) && !memcmp(data + 4, device.cbw + 4, 4) && !memcmp(data + 8, done, 5);
    }
    return (int32_t)got;
}

/* The first len bytes. */
static void parse(uint32_t len) {
    struct spb_usb usb = {0};
    uint8_t *exact = malloc(len ? len : 1);
    if (exact == NULL) return;
    memcpy(exact, configuration, len);
    if (spb_usb_parse(exact, len, &usb) == SPB_TEXT_NONE) {
        FUZZ_CHECK(usb.in.endpoint != 0 && usb.out.endpoint != 0, "V1: not endpoint 0");
        FUZZ_CHECK(usb.in.size <= 64 && usb.out.size <= 64, "V1: bulk");
    }
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t sector[SPB_SECTOR_SIZE];
    input = (struct fuzz_input){data, data + size};
    memset(&device, 0, sizeof device);
    memset(&s, 0, sizeof s);
    clock_ms = transfers = 0;
    configuration_len = fuzz_u16(&input);
    slow = configuration_len >> 15;
    configuration_len = configuration_len % 0x8000 % (sizeof configuration + 1);
    for (uint32_t i = 0; i < configuration_len; i++) configuration[i] = fuzz_u8(&input);
    if (configuration_len == 0) memcpy(configuration, fine, configuration_len = sizeof fine);
    for (uint32_t len = 0; len <= configuration_len; len++) parse(len);
    bool ok = spb_disk_start() == SPB_TEXT_NONE && spb_disk_open() == SPB_TEXT_NONE;
    FUZZ_CHECK(clock_ms < MOST_MS, "K1: an opening ends");
    FUZZ_CHECK(ok == (spb_disk_sectors() != 0), "it is open, or has no sectors");
    for (uint32_t lba = 0; ok && lba < 3; lba++) {
        clock_ms = 0;
        if (lba >= spb_disk_sectors() || lba >= SECTORS) break;
        ok = spb_disk_read(lba, sector);
        FUZZ_CHECK(clock_ms < MOST_MS / 2, "K1: a sector ends");
        if (ok) FUZZ_CHECK(device.good && device.moved == SPB_SECTOR_SIZE, "T2: it came whole");
    }
    FUZZ_CHECK(!spb_disk_read(spb_disk_sectors(), sector), "no sector behind the end");
    fuzz_accepted += ok && sector[1] == of_disk(2, 1);
    return 0;
}
