/* SPDX-License-Identifier: MIT */
/* console.c - the template's console.h on Zephyr: the UART of its console, received by interrupts into a ring. */
#include "console.h"

#include <zephyr/device.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>

#define RING 2048u      /* YMODEM sends one block of 1,029 bytes and waits for its answer */
#define TICKS_OF_A_BYTE 2u

static const struct device *const uart = DEVICE_DT_GET(DT_CHOSEN(zephyr_console));

K_MSGQ_DEFINE(ring, 1, RING, 1);

/* A byte that finds the ring full is lost, which the CRC of a block finds. */
static void received(const struct device *device, void *context) {
    uint8_t byte;
    (void)context;
    if (uart_irq_update(device) < 1) return;
    while (uart_irq_rx_ready(device) > 0 && uart_fifo_read(device, &byte, 1) == 1) (void)k_msgq_put(&ring, &byte, K_NO_WAIT);
}

void console_start(void) {
    uart_irq_callback_set(uart, received);
    uart_irq_rx_enable(uart);
}

int console_get(uint32_t timeout_ms) {
    uint8_t byte;
    return k_msgq_get(&ring, &byte, K_MSEC(timeout_ms)) == 0 ? byte : CONSOLE_NOTHING;
}

void console_put(uint8_t byte) { uart_poll_out(uart, byte); }

/* The last bytes are still in the UART when poll_out is back. */
void console_flush(void) { k_msleep(TICKS_OF_A_BYTE); }

uint32_t console_ms(void) { return k_uptime_get_32(); }
