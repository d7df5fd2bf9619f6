/* SPDX-License-Identifier: MIT */
#include "pins.h"

#include "reg.h"
#include "spb_chip.h"

#define PORT_STEP 0x400u

void spb_pins(const uint16_t *pins, uint32_t count, enum spb_pull pull) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t port = SPB_GPIO_BASE + (uint32_t)(pins[i] >> 8) * PORT_STEP, pin = pins[i] >> 4 & 15u, two = 2 * pin;
        reg_set(port + GPIO_OSPEEDR_OFF, 3u << two);
        reg_modify(port + GPIO_PUPDR_OFF, 3u << two, (uint32_t)pull << two);
        reg_modify(port + GPIO_AFR0_OFF + pin / 8 * 4, 15u << pin % 8 * 4, (uint32_t)(pins[i] & 15) << pin % 8 * 4);
        reg_modify(port + GPIO_MODER_OFF, 3u << two, (uint32_t)SPB_GPIO_ALTERNATE << two);
    }
}
