/* SPDX-License-Identifier: MIT */
/* gpio.h - GPIO of all STM32 but F1 (IP gpio_v2).  RM0351 chapter 8.  Ports and pins are constants wherever these are called:
 * as shifts and masks they cost less than a call. */
#ifndef SPB_GPIO_H
#define SPB_GPIO_H

#include <stdbool.h>
#include <stdint.h>

#include "reg.h"
#include "spb_chip.h"

#define SPB_GPIO static inline __attribute__((always_inline))

enum spb_pull { SPB_PULL_NONE, SPB_PULL_UP, SPB_PULL_DOWN };
enum spb_gpio_mode { SPB_GPIO_INPUT, SPB_GPIO_OUTPUT, SPB_GPIO_ALTERNATE };

SPB_GPIO void spb_gpio_mode(uint32_t port, uint32_t pin, enum spb_gpio_mode mode) {
    reg_modify(port + GPIO_MODER_OFF, 3u << (2 * pin), (uint32_t)mode << (2 * pin));
}

SPB_GPIO void spb_gpio_input(uint32_t port, uint32_t pin, enum spb_pull pull) {
    spb_gpio_mode(port, pin, SPB_GPIO_INPUT);
    reg_modify(port + GPIO_PUPDR_OFF, 3u << (2 * pin), (uint32_t)pull << (2 * pin));
}

static inline void spb_gpio_write(uint32_t port, uint32_t pin, bool high) {
    reg_write(port + GPIO_BSRR_OFF, high ? 1u << pin : 1u << (pin + 16));
}

SPB_GPIO void spb_gpio_output(uint32_t port, uint32_t pin, bool high) {
    spb_gpio_write(port, pin, high);
    spb_gpio_mode(port, pin, SPB_GPIO_OUTPUT);
}

SPB_GPIO void spb_gpio_function(uint32_t port, uint32_t pin, uint32_t function) {
    reg_modify(port + GPIO_AFR0_OFF + pin / 8 * 4, 15u << pin % 8 * 4, function << pin % 8 * 4);
    spb_gpio_mode(port, pin, SPB_GPIO_ALTERNATE);
}

/* A field of `width` bits for each pin in two registers, of which one may be the other. */
SPB_GPIO void spb_gpio_two(uint32_t one, uint32_t one_pin, uint32_t one_value, uint32_t other, uint32_t other_pin,
                           uint32_t other_value, uint32_t width) {
    uint32_t ones = (1u << width) - 1, at = one_pin * width % 32, there = other_pin * width % 32;
    if (one != other) reg_modify(other, ones << there, other_value << there);
    uint32_t both = one == other ? ones << there : 0;
    reg_modify(one, ones << at | both, one_value << at | (both & other_value << there));
}

/* Two pins that get functions at once. */
SPB_GPIO void spb_gpio_functions(uint32_t port, uint32_t pin, uint32_t function, uint32_t other_port, uint32_t other_pin,
                                 uint32_t other_function) {
    spb_gpio_two(port + GPIO_AFR0_OFF + pin / 8 * 4, pin, function, other_port + GPIO_AFR0_OFF + other_pin / 8 * 4, other_pin,
                 other_function, 4);
    spb_gpio_two(port + GPIO_MODER_OFF, pin, SPB_GPIO_ALTERNATE, other_port + GPIO_MODER_OFF, other_pin, SPB_GPIO_ALTERNATE, 2);
}

/* The pins of the console to its UART. */
SPB_GPIO void spb_gpio_console(void) {
    uint32_t tx = SPB_CONSOLE_TX_PORT, rx = SPB_CONSOLE_RX_PORT;
    spb_gpio_two(tx + (SPB_CONSOLE_TX_PIN < 8 ? GPIO_AFR0_OFF : GPIO_AFR1_OFF), SPB_CONSOLE_TX_PIN, SPB_CONSOLE_TX_FUNCTION,
                 rx + (SPB_CONSOLE_RX_PIN < 8 ? GPIO_AFR0_OFF : GPIO_AFR1_OFF), SPB_CONSOLE_RX_PIN, SPB_CONSOLE_RX_FUNCTION, 4);
    spb_gpio_two(tx + GPIO_MODER_OFF, SPB_CONSOLE_TX_PIN, SPB_GPIO_ALTERNATE, rx + GPIO_MODER_OFF, SPB_CONSOLE_RX_PIN,
                 SPB_GPIO_ALTERNATE, 2);
}

SPB_GPIO bool spb_gpio_read(uint32_t port, uint32_t pin) { return (reg_read(port + GPIO_IDR_OFF) >> pin & 1) != 0; }

#endif
