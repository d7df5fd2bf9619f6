/* SPDX-License-Identifier: MIT */
/* port.c - this board, as core sees it. */
#include "port.h"

#include <stddef.h>

#if SPB_MEMORIES > 1
#include "external_flash.h"
#define SPB_OUTSIDE &spb_external_flash
#define SPB_ERASE_BLOCK (SPB_BLOCK > 0 ? spb_external_erase_block : NULL)
#else
#define SPB_OUTSIDE NULL
#define SPB_ERASE_BLOCK NULL
#endif
#include "internal_flash.h"
#include "journal.h"
#include "spb_chip.h"
#include "show.h"
#include "uart_line.h"

const struct spb_area spb_slot0 = {{SPB_SLOT0_PARTS}};
const struct spb_area spb_slot1 = {{SPB_SLOT1_PARTS}};
const struct spb_area spb_journal = {{SPB_JOURNAL_PARTS}};

#if SPB_KEYS_RECORDS
const struct spb_area spb_keys_area = {{SPB_KEYS_PARTS}};
__attribute__((section(".last_update"))) struct spb_keys spb_keys;
#endif

/* The application asks for it. */
__attribute__((section(".last_update"))) struct spb_journal spb_last;

const struct spb_port spb_port = {
    .flash = &spb_internal_flash,
    .outside = SPB_OUTSIDE,
    .personal = (const uint8_t *)(SPB_FLASH_ADDRESS + SPB_PERSONAL_OFFSET),
    .target = SPB_TARGET,
    .erase_block = SPB_ERASE_BLOCK,
    .progress = spb_show_install,
    .alive = spb_line_alive,
};
