/* SPDX-License-Identifier: MIT */
#include "usb.h"

#include <stddef.h>

#include "bytes.h"
#include "line.h"
#include "port.h"

enum { SET_ADDRESS = 5, CLEAR_FEATURE = 1, GET_DESCRIPTOR = 6, SET_CONFIGURATION = 9 };
enum { DEVICE = 1, CONFIGURATION = 2, INTERFACE = 4, ENDPOINT = 5 };
enum { OUT = 1, IN = 2 };

#define ADDRESS 1u
#define ADDRESS_MS 10u          /* USB 2.0 9.2.6.3: 2 */
#define SETTLE_MS 100u          /* what old sticks take after SET_CONFIGURATION */
#define RESETS 3u
#define FIRST 8                /* bytes of the device descriptor that any packet has */
#define DEVICE_LEN 18
#define CONFIGURATION_LEN 9
#define INTERFACE_LEN 9u
#define ENDPOINT_LEN 7u
#define MASS_STORAGE 8u
#define HUB 9u
#define BULK_ONLY 0x50u
#define SUBCLASSES (1u << 2 | 1u << 5 | 1u << 6)    /* MMC-5, SFF-8070i, SCSI: all take what storage.c sends */
#define BULK 2u

#define SILENT TEXT("USB: the device does not answer")
#define UNCLEAR TEXT("USB: the device does not say what it is")
#define A_HUB TEXT("USB: a hub: plug the stick in directly")

static struct spb_pipe zero __attribute__((section(".bootram")));
static uint8_t data[SPB_USB_DESCRIPTORS] __attribute__((section(".bootram"), aligned(4)));

void spb_usb_pause(uint32_t ms) {
    uint32_t start = spb_line_ms();
    while (spb_line_ms() - start <= ms && spb_bus_connected()) spb_port.alive();
}

int32_t spb_usb_control(uint32_t request, uint32_t index, uint8_t *bytes, uint32_t len) {
    uint32_t setup[2] = {request, index | len << 16};
    zero.next = SPB_SETUP;
    int32_t end = spb_bus_transfer(&zero, SPB_OUT, (uint8_t *)setup, sizeof setup);
    if (end < 0) return end;
    int32_t got = 0;
    zero.next = SPB_DATA1;
    if (len > 0) got = spb_bus_transfer(&zero, SPB_IN, bytes, len);
    if (got < 0) return got;
    zero.next = SPB_DATA1;
    end = spb_bus_transfer(&zero, len > 0 ? SPB_OUT : SPB_IN, bytes, 0);
    return end < 0 ? end : got;
}

int32_t spb_usb_clear_halt(struct spb_pipe *pipe, bool in) {
    pipe->next = SPB_DATA0;
    return spb_usb_control(SPB_USB_REQUEST(SPB_USB_TO_ENDPOINT, CLEAR_FEATURE, 0), pipe->endpoint | (in ? 0x80u : 0), NULL, 0);
}

static bool packet_size(uint32_t size) { return size >= 8 && size <= 64 && (size & (size - 1)) == 0; }

/* V1: to the one behind that at `*at`, which is whole; false at the end, and where the next one has less than its head or
 * more than what is left. */
static bool next(const uint8_t *bytes, uint32_t len, uint32_t *at) {
    *at += bytes[*at];
    return len - *at >= 2 && bytes[*at] >= 2 && bytes[*at] <= len - *at;
}

/* V2 */
static bool usable(const uint8_t *interface) {
    return interface[3] == 0 && interface[5] == MASS_STORAGE && interface[6] < 8 && (SUBCLASSES >> interface[6] & 1) != 0 &&
           interface[7] == BULK_ONLY;
}

/* One that its interface still misses: which of the two it is, or 0. */
static uint32_t take_endpoint(const uint8_t *endpoint, uint32_t missing, struct spb_usb *usb) {
    uint32_t way = (endpoint[2] & 0x80) != 0 ? IN : OUT, size = spb_field_u16(endpoint + 4);
    if ((endpoint[2] & 15) == 0 || (endpoint[3] & 3) != BULK || (missing & way) == 0 || !packet_size(size)) return 0;
    *(way == IN ? &usb->in : &usb->out) = (struct spb_pipe){.address = ADDRESS, .endpoint = endpoint[2] & 15, .size = (uint8_t)size};
    return way;
}

enum spb_text spb_usb_parse(const uint8_t *bytes, uint32_t len, struct spb_usb *usb) {
    uint32_t at = 0, missing = 0;       /* of an interface that can be used; 0: there was none yet */
    if (len < CONFIGURATION_LEN || bytes[0] < CONFIGURATION_LEN || bytes[0] > len || bytes[1] != CONFIGURATION) return UNCLEAR;
    usb->configuration = bytes[5];
    while (next(bytes, len, &at)) {
        const uint8_t *one = bytes + at;
        if (one[1] == INTERFACE && one[0] >= INTERFACE_LEN) {
            if (one[5] == HUB) return A_HUB;
            missing = usable(one) ? IN | OUT : 0;
            usb->interface = one[2];
        } else if (one[1] == ENDPOINT && one[0] >= ENDPOINT_LEN && missing != 0) {
            missing ^= take_endpoint(one, missing, usb);
            if (missing == 0) return SPB_TEXT_NONE;
        }
    }
    return TEXT("USB: no stick, but another device");
}

static int32_t descriptor(uint32_t kind, uint32_t len) {
    return spb_usb_control(SPB_USB_REQUEST(SPB_USB_FROM, GET_DESCRIPTOR, kind << 8), 0, data, len);
}

static int32_t set(uint32_t request, uint32_t value) {
    return spb_usb_control(SPB_USB_REQUEST(SPB_USB_TO_DEVICE, request, value), 0, NULL, 0);
}

/* Its address, behind a second reset, which some need, and its packet size, which all other transfers depend on. */
static enum spb_text address(void) {
    int32_t got = 0;
    enum spb_text trouble;
    zero = (struct spb_pipe){.size = FIRST};
    for (uint32_t tries = RESETS; tries > 0 && got != SPB_BUS_GONE && got < FIRST; tries--) {
        trouble = spb_bus_reset();
        if (trouble != SPB_TEXT_NONE) return trouble;
        got = descriptor(DEVICE, FIRST);
    }
    if (got < FIRST || data[1] != DEVICE || !packet_size(data[7])) return SILENT;
    zero.size = data[7];
    trouble = spb_bus_reset();
    if (trouble != SPB_TEXT_NONE) return trouble;
    if (set(SET_ADDRESS, ADDRESS) < 0) return SILENT;
    zero.address = ADDRESS;
    spb_usb_pause(ADDRESS_MS);
    return SPB_TEXT_NONE;
}

enum spb_text spb_usb_open(struct spb_usb *usb) {
    enum spb_text trouble = address();
    if (trouble != SPB_TEXT_NONE) return trouble;
    if (descriptor(DEVICE, DEVICE_LEN) < DEVICE_LEN) return SILENT;
    if (data[4] == HUB) return A_HUB;
    if (descriptor(CONFIGURATION, CONFIGURATION_LEN) < CONFIGURATION_LEN) return UNCLEAR;
    int32_t got = descriptor(CONFIGURATION, spb_lower(spb_field_u16(data + 2), SPB_USB_DESCRIPTORS));
    if (got < 0) return UNCLEAR;
    trouble = spb_usb_parse(data, (uint32_t)got, usb);
    if (trouble != SPB_TEXT_NONE) return trouble;
    if (set(SET_CONFIGURATION, usb->configuration) < 0) return SILENT;
    spb_usb_pause(SETTLE_MS);
    return SPB_TEXT_NONE;
}
