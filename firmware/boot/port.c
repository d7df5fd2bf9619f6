/* SPDX-License-Identifier: MIT */
/* port.c - this board, as core and loader see it. */
#include "port.h"

#include "device.h"
#include "internal_flash.h"
#include "tick.h"
#include "usart.h"
#include "watchdog.h"

const struct spb_port spb_port = {
    .slot0 = {&spb_internal_flash, SPB_SLOT0_OFF, SPB_SLOT_SIZE},
    .slot1 = {&spb_internal_flash, SPB_SLOT1_OFF, SPB_SLOT_SIZE},
    .journal = {&spb_internal_flash, SPB_JOURNAL_OFF, SPB_ERASE_UNIT},
    .personal = (const uint8_t *)(SPB_FLASH_ADDRESS + SPB_PERSONAL_OFFSET),
    .target = SPB_TARGET,
    .alive = spb_watchdog_feed,
};

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
