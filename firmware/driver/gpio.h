/* SPDX-License-Identifier: MIT */
/* gpio.h - pins.  A pin is the base address of its port and its number. */
#ifndef SPB_GPIO_H
#define SPB_GPIO_H

#include <stdbool.h>
#include <stdint.h>

enum spb_pull { SPB_PULL_NONE, SPB_PULL_UP, SPB_PULL_DOWN };

void spb_gpio_input(uint32_t port, uint32_t pin, enum spb_pull pull);
void spb_gpio_output(uint32_t port, uint32_t pin, bool high);
void spb_gpio_alternate(uint32_t port, uint32_t pin, uint32_t function);
void spb_gpio_write(uint32_t port, uint32_t pin, bool high);
bool spb_gpio_read(uint32_t port, uint32_t pin);

#endif
