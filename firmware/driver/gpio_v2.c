/* SPDX-License-Identifier: MIT */
/* gpio_v2.c - GPIO of all STM32 but F1 (IP gpio_v2).  RM0351 chapter 8. */
#include "gpio.h"

#include "reg.h"
#include "spb_chip.h"

enum mode { MODE_INPUT, MODE_OUTPUT, MODE_ALTERNATE };

static void set_mode(uint32_t port, uint32_t pin, enum mode mode) {
    reg_modify(port + GPIO_MODER_OFF, 3u << (2 * pin), (uint32_t)mode << (2 * pin));
}

void spb_gpio_input(uint32_t port, uint32_t pin, enum spb_pull pull) {
    set_mode(port, pin, MODE_INPUT);
    reg_modify(port + GPIO_PUPDR_OFF, 3u << (2 * pin), (uint32_t)pull << (2 * pin));
}

void spb_gpio_output(uint32_t port, uint32_t pin, bool high) {
    spb_gpio_write(port, pin, high);
    set_mode(port, pin, MODE_OUTPUT);
}

void spb_gpio_alternate(uint32_t port, uint32_t pin, uint32_t function) {
    uint32_t afr = port + (pin < 8 ? GPIO_AFR0_OFF : GPIO_AFR1_OFF);
    uint32_t shift = pin % 8 * 4;
    reg_modify(afr, 15u << shift, function << shift);
    set_mode(port, pin, MODE_ALTERNATE);
}

void spb_gpio_write(uint32_t port, uint32_t pin, bool high) {
    reg_write(port + GPIO_BSRR_OFF, high ? 1u << pin : 1u << (pin + 16));
}

bool spb_gpio_read(uint32_t port, uint32_t pin) { return (reg_read(port + GPIO_IDR_OFF) >> pin & 1) != 0; }
