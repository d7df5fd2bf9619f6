/* SPDX-License-Identifier: MIT */
/* usb_ulpi.c - an ULPI PHY beside the chip, of STM32F7: its lines, and its clock of 60 MHz, which comes from an oscillator of its
 * own and is let into the core.  RM0410, RCC_AHB1ENR and OTG; UTMI+ Low Pin Interface 1.1. */
#include "usb_clock.h"

#include "gpio.h"
#include "reg.h"
#include "spb_chip.h"

#define PHY_CLOCK (RCC_BASE + SPB_USB_PHY_ENABLE_OFF)
#define PORT_STEP 0x400u

/* As fast as they can: each carries 60 MHz. */
static void lines(void) {
    static const uint16_t pins[] = SPB_USB_PINS;
    for (uint32_t i = 0; i < sizeof pins / sizeof pins[0]; i++) {
        uint32_t port = SPB_GPIO_BASE + (uint32_t)(pins[i] >> 8) * PORT_STEP, pin = pins[i] >> 4 & 15u, two = 2 * pin;
        reg_set(port + GPIO_OSPEEDR_OFF, 3u << two);
        spb_gpio_function(port, pin, pins[i] & 15u);
    }
}

enum spb_text spb_usb_clock_start(void) {
    lines();
    reg_set(PHY_CLOCK, SPB_USB_PHY_ENABLE);
    return SPB_TEXT_NONE;
}

void spb_usb_clock_stop(void) { reg_clear(PHY_CLOCK, SPB_USB_PHY_ENABLE); }
