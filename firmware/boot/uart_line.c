/* SPDX-License-Identifier: MIT */
#include "uart_line.h"

#include <stdbool.h>

#include "tick.h"
#include "usart.h"
#include "watchdog.h"

#define PATIENCE 50000u     /* looks at the UART for a byte of an application: many times what one takes at 9,600 baud */

static uint8_t ring[SPB_LINE_ROOM] __attribute__((section(".bootram")));
static struct {
    uint8_t first, last;    /* of the ring: wrap by themselves */
    bool ours;
    uint32_t patience;
} line;

_Static_assert(SPB_LINE_ROOM == 256, "indexes are bytes");

static void pump(void) {
    if (line.first != line.last && spb_usart_writable()) spb_usart_write(ring[line.first++]);
}

void spb_line_start(void) { line.ours = true; }

void spb_line_borrow(void) { line.patience = PATIENCE; }

void spb_line_alive(void) {
    spb_watchdog_feed();
    if (!line.ours) return;
    pump();
    (void)spb_tick_ms();
}

void spb_line_flush(void) {
    while (line.first != line.last) spb_line_alive();
}

void spb_line_put(uint8_t byte) {
    if (line.ours) {
        while ((uint8_t)(line.last + 1) == line.first) spb_line_alive();
        ring[line.last++] = byte;
        pump();
        return;
    }
    uint32_t looks = line.patience;
    while (looks > 0 && !spb_usart_writable()) looks--;
    if (looks > 0) spb_usart_write(byte);
    else line.patience = 0;
}

int spb_line_get(uint32_t timeout_ms) {
    uint32_t start = spb_tick_ms();
    do {
        if (spb_usart_readable()) return spb_usart_read();
        spb_line_alive();
    } while (spb_tick_ms() - start < timeout_ms);
    return SPB_LINE_NOTHING;
}

uint32_t spb_line_ms(void) { return spb_tick_ms(); }
