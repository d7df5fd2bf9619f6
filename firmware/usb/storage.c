/* SPDX-License-Identifier: MIT */
/* storage.c - a flash drive as a disk: bulk-only transport ("Bulk-Only Transport" 1.0), and as much SCSI as reading takes.
 * T1  Of a unit that answers nothing is sent but INQUIRY, TEST UNIT READY, REQUEST SENSE, READ CAPACITY and READ.
 * T2  What the device announces is believed only where it agrees with what came. */
#include "disk.h"

#include "bytes.h"
#include "line.h"
#include "port.h"
#include "usb.h"

enum { TEST_UNIT_READY = 0x00, REQUEST_SENSE = 0x03, INQUIRY = 0x12, READ_CAPACITY = 0x25, READ = 0x28 };
enum { BULK_ONLY_RESET = 0xFF, GET_MAX_LUN = 0xFE };

#define CBW_SIGNATURE 0x43425355u
#define CSW_SIGNATURE 0x53425355u
#define CBW_LEN 31u
#define CSW_LEN 13u
#define INTO_HOST 0x80u
#define SHORT_BLOCK 6u          /* of commands below 20h, and of others */
#define LONG_BLOCK 10u
#define MOST_UNITS 4u
#define STAGE_MS 2500u          /* a stick that tidies up takes a second */
#define READY_MS 5000u
#define LIMIT_MS 10000u         /* D1: no command begins later, however slowly a device gives what it gives */
#define LOOK_MS 50u
#define DEBOUNCE_MS 120u        /* USB 2.0 7.1.7.3: 100 */
#define TRIES 3u
#define INQUIRY_LEN 36u
#define NAME_OFF 8u             /* vendor and product, of 8 and 16 characters */
#define NAME_LEN 24u
#define SENSE_LEN 18u
#define CAPACITY_LEN 8u
#define DISK 0u                 /* peripheral device type */
#define KEY_NOT_READY 2u
#define NO_MEDIUM 0x3Au

enum result { GOOD, FAILED, BROKEN, GONE };     /* BROKEN: the transport; it is recovered */

static struct {
    struct spb_usb usb;
    uint32_t sectors;           /* 0: none is open */
    uint32_t tag;
    uint32_t begun;             /* when the opening, or the sector, did */
    uint8_t unit;
    char name[NAME_LEN + 1];
} s __attribute__((section(".bootram")));
/* A command, or its status; and what INQUIRY and the like give. */
static union {
    uint8_t bytes[32];
    uint32_t words[8];
} u __attribute__((section(".bootram")));
static uint8_t answer[INQUIRY_LEN] __attribute__((section(".bootram"), aligned(4)));

static enum spb_bus_end class_request(uint32_t kind, uint32_t request, uint32_t len, uint32_t *got) {
    return spb_usb_control(kind, request, 0, s.usb.interface, u.bytes, len, got);
}

/* Bulk-Only Transport 5.3.4. */
static enum result recover(void) {
    uint32_t none;
    enum spb_bus_end end = class_request(SPB_USB_CLASS, BULK_ONLY_RESET, 0, &none);
    if (end == SPB_BUS_DONE) end = spb_usb_clear_halt(&s.usb.in, true);
    if (end == SPB_BUS_DONE) end = spb_usb_clear_halt(&s.usb.out, false);
    return end == SPB_BUS_DONE ? BROKEN : GONE;
}

static enum result broken(enum spb_bus_end end) { return end == SPB_BUS_GONE ? GONE : recover(); }

/* 5.1: first is the command, and where it is a short one its allocation length << 8. */
static enum spb_bus_end send(uint32_t first, uint32_t address, uint32_t count, uint32_t len) {
    uint32_t none;
    for (uint32_t i = 0; i < sizeof u.words / sizeof u.words[0]; i++) u.words[i] = 0;
    u.words[0] = CBW_SIGNATURE;
    u.words[1] = ++s.tag;
    u.words[2] = len;
    u.bytes[12] = len > 0 ? INTO_HOST : 0;
    u.bytes[13] = s.unit;
    u.bytes[14] = (uint8_t)first < READ_CAPACITY ? SHORT_BLOCK : LONG_BLOCK;
    u.bytes[15] = (uint8_t)first;
    for (uint32_t i = 0; i < 4; i++) u.bytes[17 + i] = (uint8_t)(address >> (24 - 8 * i));
    u.bytes[19] |= (uint8_t)(first >> 8);
    u.bytes[23] = (uint8_t)count;
    return spb_bus_transfer(&s.usb.out, SPB_TOKEN_OUT, u.bytes, CBW_LEN, &none, STAGE_MS);
}

/* 5.3, 6.3: valid and meaningful, or the transport is broken. */
static enum result status(uint32_t len, uint32_t got) {
    uint32_t size;
    enum spb_bus_end end = spb_bus_transfer(&s.usb.in, SPB_TOKEN_IN, u.bytes, CSW_LEN, &size, STAGE_MS);
    if (end == SPB_BUS_STALL) {
        end = spb_usb_clear_halt(&s.usb.in, true);
        if (end == SPB_BUS_DONE) end = spb_bus_transfer(&s.usb.in, SPB_TOKEN_IN, u.bytes, CSW_LEN, &size, STAGE_MS);
    }
    if (end != SPB_BUS_DONE) return broken(end);
    if (size != CSW_LEN || u.words[0] != CSW_SIGNATURE || u.words[1] != s.tag || u.bytes[12] > 1) return recover();
    if (u.bytes[12] != 0) return FAILED;
    return u.words[2] == 0 && got == len ? GOOD : FAILED; /* T2 */
}

static enum result command(uint32_t first, uint32_t address, uint32_t count, uint8_t *data, uint32_t len) {
    uint32_t got = 0;
    if (spb_line_ms() - s.begun > LIMIT_MS) return GONE;
    enum spb_bus_end end = send(first, address, count, len);
    if (end == SPB_BUS_DONE && len > 0) {
        end = spb_bus_transfer(&s.usb.in, SPB_TOKEN_IN, data, len, &got, STAGE_MS);
        if (end == SPB_BUS_STALL) end = spb_usb_clear_halt(&s.usb.in, true); /* 6.7.2: the status follows */
    }
    return end == SPB_BUS_DONE ? status(len, got) : broken(end);
}

/* Why a command failed: sense key << 8 | additional code.  It ends a unit attention, too. */
static uint32_t sense(enum result *result) {
    *result = command(REQUEST_SENSE | SENSE_LEN << 8, 0, 0, answer, SENSE_LEN);
    return *result == GOOD ? (answer[2] & 15u) << 8 | answer[12] : 0;
}

/* Until it is good: an attention, a broken transport, are over with the next try. */
static enum result repeat(uint32_t first, uint32_t address, uint32_t count, uint8_t *data, uint32_t len) {
    enum result result = FAILED, second = GOOD;
    for (uint32_t tries = TRIES; tries > 0; tries--) {
        result = command(first, address, count, data, len);
        if (result == FAILED) (void)sense(&second);
        if (result == GOOD || result == GONE) return result;
        if (second == GONE) return GONE;
    }
    return result;
}

/* Until its medium can be read; `*empty`: it has none. */
static enum result ready(bool *empty) {
    uint32_t start = spb_line_ms();
    *empty = false;
    for (;;) {
        enum result result = command(TEST_UNIT_READY, 0, 0, u.bytes, 0), second = GOOD;
        if (result == GOOD || result == GONE) return result;
        *empty = result == FAILED && sense(&second) == (KEY_NOT_READY << 8 | NO_MEDIUM);
        if (second == GONE) return GONE;
        if (*empty || spb_line_ms() - start > READY_MS) return FAILED;
        spb_usb_pause(LOOK_MS);
    }
}

static uint32_t big(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }

/* What INQUIRY says, without the spaces behind it. */
static void take_name(bool known) {
    uint32_t len = 0;
    for (uint32_t i = 0; known && i < NAME_LEN; i++) {
        uint8_t c = answer[NAME_OFF + i];
        s.name[i] = c >= ' ' && c <= '~' ? (char)c : '?';
        if (c != ' ') len = i + 1;
    }
    s.name[len] = '\0';
}

/* A unit with a medium in sectors of 512 bytes.  SPB_TEXT_NONE, or why not; `*next`: another one may have. */
static enum spb_text unit(bool *next) {
    enum result result = command(INQUIRY | INQUIRY_LEN << 8, 0, 0, answer, INQUIRY_LEN), second;
    *next = result == GOOD && answer[0] != DISK;
    if (*next) return TEXT("USB: no stick, but another device");
    take_name(result == GOOD);
    if (result == FAILED) (void)sense(&second); /* some want to be asked, and refuse */
    if (result != GONE) result = ready(next);
    if (*next) return TEXT("USB: no card in the reader");
    if (result != GOOD) return TEXT("USB: the stick does not get ready");
    if (repeat(READ_CAPACITY, 0, 0, answer, CAPACITY_LEN) != GOOD) return TEXT("USB: the stick does not say how large it is");
    if (big(answer + 4) != SPB_SECTOR_SIZE) return TEXT("USB: sectors of another size than 512 bytes");
    s.sectors = big(answer) == UINT32_MAX ? UINT32_MAX : big(answer) + 1;
    return SPB_TEXT_NONE;
}

/* The first one that has a medium. */
static enum spb_text units(void) {
    uint32_t count = 1, got;
    bool next = true;
    enum spb_text trouble = SPB_TEXT_NONE;
    s.begun = spb_line_ms();
    if (class_request(SPB_USB_FROM | SPB_USB_CLASS, GET_MAX_LUN, 1, &got) == SPB_BUS_DONE && got == 1)
        count = spb_lower(u.bytes[0], MOST_UNITS - 1) + 1; /* a STALL is one unit (3.2) */
    for (uint32_t i = 0; next && i < count; i++) {
        s.unit = (uint8_t)i;
        trouble = unit(&next);
    }
    return trouble;
}

enum spb_text spb_disk_start(void) {
    s.sectors = 0;
    return spb_bus_start();
}

bool spb_disk_present(void) { return spb_bus_connected() || spb_bus_overloaded(); }

enum spb_text spb_disk_open(void) {
    s.sectors = 0;
    spb_usb_pause(DEBOUNCE_MS);
    if (spb_bus_overloaded()) return TEXT("USB: too much current: this board cannot supply that stick");
    enum spb_text trouble = spb_usb_open(&s.usb);
    if (trouble == SPB_TEXT_NONE) trouble = units();
    if (!spb_bus_connected()) trouble = TEXT("USB: the stick was pulled out");
    if (trouble != SPB_TEXT_NONE) s.sectors = 0;
    return trouble;
}

const char *spb_disk_name(void) { return s.name; }

uint32_t spb_disk_sectors(void) { return s.sectors; }

bool spb_disk_read(uint32_t lba, uint8_t *to) {
    if (lba >= s.sectors) return false;
    s.begun = spb_line_ms();
    if (repeat(READ, lba, 1, to, SPB_SECTOR_SIZE) == GOOD) return true;
    s.sectors = 0;
    return false;
}

void spb_disk_stop(void) {
    s.sectors = 0;
    spb_bus_stop();
}
