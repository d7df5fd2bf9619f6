/* SPDX-License-Identifier: MIT */
/* port.h - the device, as core sees it.  The boot room defines what is here; tests on a host define theirs.
 * Both slots have SPB_SLOT_SIZE bytes in pages of SPB_PAGE_SIZE: one or more erase units, whatever unit the slot has.
 * A board with SPB_SINGLE_SLOT has no second slot: slot1 is slot0. */
#ifndef SPB_PORT_H
#define SPB_PORT_H

#include "flash.h"
#include "spb_config.h"

struct spb_port {
    const struct spb_flash *flash;      /* all areas are in it */
    const uint8_t *personal;    /* the personalisation area, SPB_PERSONAL_SIZE bytes */
    uint32_t target;            /* what a manifest must name as its target */
    bool (*writable)(uint32_t off, uint32_t len);   /* of these bytes of flash, whole erase units, none is protected */
    void (*alive)(void);        /* called at least every few milliseconds of work: feeds the watchdog */
};

extern const struct spb_port spb_port;      /* constants, which compilers know: nothing takes its address */
extern const struct spb_area spb_slot0, spb_slot1, spb_journal;

/* The first bytes of an area, as far as every area goes. */
static inline const uint8_t *spb_area_start(const struct spb_area *area) { return spb_port.flash->map(area->base); }

#endif
