/* SPDX-License-Identifier: MIT */
/* usb.h - control transfers, and the way from a device that was plugged in to its bulk-only endpoints (USB 2.0 8.5.3, 9).
 * V1  Descriptors are read as far as there is room, and no byte behind what came is looked at.
 * V2  One interface is used: mass storage by bulk-only transport, alternate setting 0. */
#ifndef SPB_USB_H
#define SPB_USB_H

#include "bus.h"

#define SPB_USB_DESCRIPTORS 256u

/* A device that is configured. */
struct spb_usb {
    struct spb_pipe in, out;
    uint8_t interface, configuration;
};

/* Kinds of a request, and requests (USB 2.0 9.3, 9.4). */
enum { SPB_USB_TO_DEVICE = 0x00, SPB_USB_TO_ENDPOINT = 0x02, SPB_USB_CLASS = 0x21, SPB_USB_FROM = 0x80 };

/* How the first word of a control transfer stands on the bus. */
#define SPB_USB_REQUEST(kind, request, value) ((uint32_t)(kind) | (uint32_t)(request) << 8 | (uint32_t)(value) << 16)

/* A control transfer; of an answer len bytes at most.  How many came, or a failure (bus.h). */
int32_t spb_usb_control(uint32_t request, uint32_t index, uint8_t *data, uint32_t len);

/* Both endpoints of the interface out of all that came of a configuration descriptor.  SPB_TEXT_NONE, or why not. */
enum spb_text spb_usb_parse(const uint8_t *data, uint32_t len, struct spb_usb *usb);

/* The device that is there, reset and configured.  SPB_TEXT_NONE, or why it cannot be used. */
enum spb_text spb_usb_open(struct spb_usb *usb);

/* The halt of an endpoint ends; its next packet is DATA0.  0, or a failure. */
int32_t spb_usb_clear_halt(struct spb_pipe *pipe, bool in);

/* Wait, while the device is there. */
void spb_usb_pause(uint32_t ms);

#endif
