/* SPDX-License-Identifier: MIT */
/* sleeper.c - an application that leaves the chip as a test wants it: writes registers, goes to deep sleep, resets.
 * On the console a request, an opcode and two words: w writes the second to the address in the first, z sleeps by WFI and
 * e by WFE with SLEEPDEEP set, x resets.  It answers each with a dot but these three. */
#include "clock.h"
#include "cortex.h"
#include "gpio.h"
#include "reg.h"
#include "spb_chip.h"
#include "usart.h"

#define SCR 0xE000ED10u
#define SLEEPDEEP 4u

void demo_main(void);

static uint32_t get(void) {
    while (!spb_usart_readable()) {}
    return spb_usart_read();
}

static void put(char c) {
    while (!spb_usart_writable()) {}
    spb_usart_write((uint8_t)c);
}

static uint32_t word(void) {
    uint32_t value = get();
    value |= get() << 8;
    value |= get() << 16;
    return value | get() << 24;
}

void demo_main(void) {
    spb_clock_start();
    spb_gpio_console();
    spb_usart_start(spb_clock_console_hz());
    for (const char *text = "sleeper ready\r\n"; *text != '\0';) put(*text++);
    for (;;) {
        uint32_t op = get(), address = word(), value = word();
        if (op == 'x') spb_cortex_reset();
        if (op == 'w') reg_write(address, value);
        if (op == 'z' || op == 'e') {
            reg_write(SCR, SLEEPDEEP);
            if (op == 'z') __asm volatile("dsb\n wfi");
            else __asm volatile("sev\n wfe\n wfe");
        }
        put('.');
    }
}
