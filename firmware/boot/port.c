/* SPDX-License-Identifier: MIT */
/* port.c - this board, as core sees it. */
#include "port.h"

#include "internal_flash.h"
#include "spb_chip.h"
#include "uart_line.h"

#define FLASH &spb_internal_flash

const struct spb_area spb_slot0 = {{{FLASH, SPB_SLOT0_OFF, SPB_SLOT_SIZE, SPB_SLOT0_UNIT}}};
const struct spb_area spb_slot1 = {{{FLASH, SPB_SLOT1_OFF, SPB_SLOT_SIZE, SPB_SLOT1_UNIT}}};
const struct spb_area spb_journal = {{{FLASH, SPB_JOURNAL_OFF, SPB_JOURNAL_SIZE, SPB_JOURNAL_UNIT}}};

const struct spb_port spb_port = {
    .flash = FLASH,
    .personal = (const uint8_t *)(SPB_FLASH_ADDRESS + SPB_PERSONAL_OFFSET),
    .target = SPB_TARGET,
    .alive = spb_line_alive,
};
