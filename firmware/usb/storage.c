/* SPDX-License-Identifier: MIT */
/* storage.c - a flash drive as a disk: bulk-only transport ("Bulk-Only Transport" 1.0), and as much SCSI as reading takes.
 * T1  Of a unit that answers nothing is sent but INQUIRY, TEST UNIT READY, REQUEST SENSE, READ CAPACITY and READ.
 * T2  What the device announces is believed only where it agrees with what came. */
#include "disk.h"

#include <stddef.h>

#include "bytes.h"
#include "line.h"
#include "port.h"
#include "usb.h"

enum { TEST_UNIT_READY = 0x00, REQUEST_SENSE = 0x03, INQUIRY = 0x12, READ_CAPACITY = 0x25, READ = 0x28 };
enum { BULK_ONLY_RESET = 0xFF, GET_MAX_LUN = 0xFE };

#define CBW_SIGNATURE 0x43425355u
#define CSW_SIGNATURE 0x53425355u
#define CBW_LEN 31u
#define CSW_LEN 13
#define INTO_HOST 0x80u
#define SHORT_BLOCK 6u          /* of commands below 20h, and of others */
#define LONG_BLOCK 10u
#define MOST_UNITS 4u
#define LIMIT_MS 9500u          /* D1: no command begins later, however slowly a device gives; the last one takes 20 s */
#define LOOK_MS 50u
#define READY_TRIES 90u         /* 4.5 s, and what they take */
#define DEBOUNCE_MS 120u        /* USB 2.0 7.1.7.3: 100 */
#define TRIES 3u
#define INQUIRY_LEN 36u
#define NAME_OFF 8u             /* vendor and product, of 8 and 16 characters */
#define NAME_LEN 24u
#define SENSE_LEN 18u
#define CAPACITY_LEN 8u
#define DISK 0u                 /* peripheral device type */
#define NO_MEDIUM 0x023Au       /* sense key NOT READY, and the additional code */

#define NO_DISK TEXT("USB: no stick, but another device")
#define NO_CARD TEXT("USB: no card in the reader")

enum result { GOOD, FAILED, BROKEN };   /* BROKEN: the transport, which was recovered if that is possible */

/* One address for all of it. */
static struct {
    struct spb_usb usb;
    uint32_t sectors;           /* 0: none is open */
    uint32_t tag;
    uint32_t begun;             /* when the opening, or the sector, did */
    uint32_t unit;
    uint32_t sense;             /* why the last command failed: sense key << 8 | additional code; 0: it does not say */
    union {
        uint8_t bytes[32];
        uint32_t words[8];
    } u;                        /* a command, or its status */
    uint8_t answer[INQUIRY_LEN];    /* what INQUIRY and the like give; at a multiple of four */
    char name[NAME_LEN + 1];
} s __attribute__((section(".bootram"), aligned(4)));

static int32_t class_request(uint32_t kind, uint32_t request, uint32_t len) {
    return spb_usb_control(SPB_USB_REQUEST(kind, request, 0), s.usb.interface, s.u.bytes, len);
}

/* Bulk-Only Transport 5.3.4.  Where there is nobody any more it ends at once, as all that is tried then does. */
static enum result recover(void) {
    if (class_request(SPB_USB_CLASS, BULK_ONLY_RESET, 0) >= 0 && spb_usb_clear_halt(&s.usb.in, true) >= 0)
        (void)spb_usb_clear_halt(&s.usb.out, false);
    return BROKEN;
}

/* 5.1.  The allocation length of a short command stands where an address has its second byte. */
static int32_t send(uint32_t operation, uint32_t address, uint32_t len) {
    uint32_t block = operation < READ_CAPACITY ? SHORT_BLOCK : LONG_BLOCK, turned = __builtin_bswap32(address);
    s.u.words[0] = CBW_SIGNATURE;
    s.u.words[1] = ++s.tag;
    s.u.words[2] = len;
    s.u.words[3] = (len > 0 ? INTO_HOST : 0) | s.unit << 8 | block << 16 | operation << 24;
    s.u.words[4] = turned << 8; /* behind a byte that is 0, and in front of one */
    s.u.words[5] = turned >> 24 | len / SPB_SECTOR_SIZE << 24;
    s.u.words[6] = s.u.words[7] = 0;
    return spb_bus_transfer(&s.usb.out, SPB_OUT, s.u.bytes, CBW_LEN);
}

/* Data, or a status; in the place of data that were refused come none (6.7.2). */
static int32_t take(uint8_t *data, uint32_t len) {
    int32_t got = spb_bus_transfer(&s.usb.in, SPB_IN, data, len);
    return got == SPB_BUS_STALL ? spb_usb_clear_halt(&s.usb.in, true) : got;
}

/* A command, its data, its status: 5.3, 6.3, valid and meaningful, or the transport is broken. */
static enum result transport(uint32_t operation, uint32_t address, uint8_t *data, uint32_t len) {
    if (spb_line_ms() - s.begun > LIMIT_MS) return BROKEN;
    int32_t got = send(operation, address, len);
    if (got >= 0) got = len > 0 ? take(data, len) : 0;
    if (got < 0) return recover();
    int32_t size = take(s.u.bytes, CSW_LEN);
    if (size == 0) size = spb_bus_transfer(&s.usb.in, SPB_IN, s.u.bytes, CSW_LEN);
    if (size != CSW_LEN || s.u.words[0] != CSW_SIGNATURE || s.u.words[1] != s.tag || s.u.bytes[12] > 1) return recover();
    return s.u.bytes[12] == 0 && s.u.words[2] == 0 && (uint32_t)got == len ? GOOD : FAILED; /* T2 */
}

/* True if all of it came.  One that fails is asked why: that ends a unit attention, too, and some do nothing else until then. */
static bool command(uint32_t operation, uint32_t address, uint8_t *data, uint32_t len) {
    enum result result = transport(operation, address, data, len);
    s.sense = 0;
    if (result == FAILED && transport(REQUEST_SENSE, SENSE_LEN << 8, s.answer, SENSE_LEN) == GOOD)
        s.sense = (s.answer[2] & 15u) << 8 | s.answer[12];
    return result == GOOD;
}

/* Until it is good: an attention, a broken transport, are over with the next try. */
static bool repeat(uint32_t tries, uint32_t operation, uint32_t address, uint8_t *data, uint32_t len) {
    for (;; spb_usb_pause(LOOK_MS)) {
        if (command(operation, address, data, len)) return true;
        if (--tries == 0 || s.sense == NO_MEDIUM || !spb_bus_connected()) return false;
    }
}

static uint32_t big(const uint8_t *p) { return __builtin_bswap32(spb_field_u32(p)); }

/* What INQUIRY says, without the spaces behind it. */
static void take_name(void) {
    uint32_t len = 0;
    for (uint32_t i = 0; i < NAME_LEN; i++) {
        uint8_t c = s.answer[NAME_OFF + i];
        s.name[i] = c >= ' ' && c <= '~' ? (char)c : '?';
        if (c != ' ') len = i + 1;
    }
    s.name[len] = '\0';
}

/* A unit with a medium in sectors of 512 bytes.  SPB_TEXT_NONE, or why not. */
static enum spb_text unit(void) {
    s.name[0] = '\0';
    if (command(INQUIRY, INQUIRY_LEN << 8, s.answer, INQUIRY_LEN)) { /* some want to be asked, and refuse */
        if (s.answer[0] != DISK) return NO_DISK;
        take_name();
    }
    if (!repeat(READY_TRIES, TEST_UNIT_READY, 0, NULL, 0))
        return s.sense == NO_MEDIUM ? NO_CARD : TEXT("USB: the stick does not get ready");
    if (!repeat(TRIES, READ_CAPACITY, 0, s.answer, CAPACITY_LEN)) return TEXT("USB: the stick does not say how large it is");
    if (big(s.answer + 4) != SPB_SECTOR_SIZE) return TEXT("USB: sectors of another size than 512 bytes");
    uint32_t last = big(s.answer);
    s.sectors = last == UINT32_MAX ? last : last + 1;
    return SPB_TEXT_NONE;
}

/* The first one that has a medium. */
static enum spb_text units(void) {
    uint32_t count = 1;
    enum spb_text trouble;
    s.begun = spb_line_ms();
    if (class_request(SPB_USB_FROM | SPB_USB_CLASS, GET_MAX_LUN, 1) == 1)
        count = spb_lower(s.u.bytes[0], MOST_UNITS - 1) + 1; /* a STALL is one unit (3.2) */
    s.unit = 0;
    do trouble = unit();
    while ((trouble == NO_DISK || trouble == NO_CARD) && ++s.unit < count);
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
    if (repeat(TRIES, READ, lba, to, SPB_SECTOR_SIZE)) return true;
    s.sectors = 0;
    return false;
}

void spb_disk_stop(void) {
    s.sectors = 0;
    spb_bus_stop();
}
