/* SPDX-License-Identifier: MIT */
/* bytes.h - the console of a test's application as a line of bytes.  While one is waited for, it calls idle(). */
#ifndef BYTES_H
#define BYTES_H

#include <stdint.h>

#include "usart.h"

static void idle(void);

static uint8_t get(void) {
    while (!spb_usart_readable()) idle();
    return spb_usart_read();
}

static void put(uint8_t byte) {
    while (!spb_usart_writable()) idle();
    spb_usart_write(byte);
}

static void get_all(void *to, uint32_t len) {
    for (uint8_t *p = to; len--; p++) *p = get();
}

static void put_all(const void *from, uint32_t len) {
    for (const uint8_t *p = from; len--; p++) put(*p);
}

#endif
