/* SPDX-License-Identifier: MIT */
/* usb_ulpi.c - an ULPI PHY beside the chip, of STM32F7: its lines, and its clock of 60 MHz, which comes from an oscillator of its
 * own and is let into the core.  RM0410, RCC_AHB1ENR and OTG; UTMI+ Low Pin Interface 1.1. */
#include "usb_clock.h"

#include "pins.h"
#include "reg.h"
#include "spb_chip.h"

#define PHY_CLOCK (RCC_BASE + SPB_USB_PHY_ENABLE_OFF)

enum spb_text spb_usb_clock_start(void) {
    static const uint16_t pins[] = SPB_USB_PINS;
    spb_pins(pins, sizeof pins / sizeof pins[0], SPB_PULL_NONE);
    reg_set(PHY_CLOCK, SPB_USB_PHY_ENABLE);
    return SPB_TEXT_NONE;
}

void spb_usb_clock_stop(void) { reg_clear(PHY_CLOCK, SPB_USB_PHY_ENABLE); }
