/* SPDX-License-Identifier: MIT */
/* port.c - this board, as core sees it. */
#include "port.h"

#include "internal_flash.h"
#include "spb_chip.h"
#include "uart_line.h"

const struct spb_port spb_port = {
    .slot0 = {&spb_internal_flash, SPB_SLOT0_OFF, SPB_SLOT_SIZE, SPB_SLOT0_UNIT},
    .slot1 = {&spb_internal_flash, SPB_SLOT1_OFF, SPB_SLOT_SIZE, SPB_SLOT1_UNIT},
    .journal = {&spb_internal_flash, SPB_JOURNAL_OFF, SPB_JOURNAL_SIZE, SPB_JOURNAL_UNIT},
    .personal = (const uint8_t *)(SPB_FLASH_ADDRESS + SPB_PERSONAL_OFFSET),
    .target = SPB_TARGET,
    .writable = spb_flash_writable,
    .alive = spb_line_alive,
};
