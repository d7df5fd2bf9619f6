/* SPDX-License-Identifier: MIT */
/* port.c - this board, as core sees it. */
#include "port.h"

#include <stddef.h>

#include "internal_flash.h"
#include "journal.h"
#include "spb_chip.h"
#include "show.h"
#include "uart_line.h"

/* One memory: parts do not name it, or its functions would have an address, and a compiler would keep them apart. */
_Static_assert(SPB_MEMORIES == 1, "then nobody asks a part");
#define ALL_IN_ONE NULL

const struct spb_area spb_slot0 = {{{ALL_IN_ONE, SPB_SLOT0_OFF, SPB_SLOT_SIZE, SPB_SLOT0_UNIT}}};
const struct spb_area spb_slot1 = {{{ALL_IN_ONE, SPB_SLOT1_OFF, SPB_SLOT_SIZE, SPB_SLOT1_UNIT}}};
const struct spb_area spb_journal = {{{ALL_IN_ONE, SPB_JOURNAL_OFF, SPB_JOURNAL_SIZE, SPB_JOURNAL_UNIT}}};

#if SPB_KEYS_RECORDS
const struct spb_area spb_keys_area = {{{ALL_IN_ONE, SPB_KEYS_OFF, SPB_KEYS_AREA_SIZE, SPB_KEYS_UNIT}}};
__attribute__((section(".last_update"))) struct spb_keys spb_keys;
#endif

/* The application asks for it. */
__attribute__((section(".last_update"))) struct spb_journal spb_last;

const struct spb_port spb_port = {
    .flash = &spb_internal_flash,
    .personal = (const uint8_t *)(SPB_FLASH_ADDRESS + SPB_PERSONAL_OFFSET),
    .target = SPB_TARGET,
    .progress = spb_show_install,
    .alive = spb_line_alive,
};
