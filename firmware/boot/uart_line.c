/* SPDX-License-Identifier: MIT */
#include "uart_line.h"

#include "tick.h"
#include "usart.h"
#include "watchdog.h"

static void put(uint8_t byte) {
    while (!spb_usart_writable()) spb_watchdog_feed();
    spb_usart_write(byte);
}

static int get(uint32_t timeout_ms) {
    uint32_t start = spb_tick_ms();
    do {
        if (spb_usart_readable()) return spb_usart_read();
        spb_watchdog_feed();
    } while (spb_tick_ms() - start < timeout_ms);
    return SPB_LINE_NOTHING;
}

const struct spb_line spb_console = {.put = put, .get = get, .now_ms = spb_tick_ms};
