/* SPDX-License-Identifier: MIT */
/* flash_sector.h - what of flash_sector.c the IP versions do differently (flash_f4.c, flash_f7.c). */
#ifndef SPB_FLASH_SECTOR_H
#define SPB_FLASH_SECTOR_H

#include <stdbool.h>
#include <stdint.h>

/* The error flags of FLASH_SR. */
extern const uint32_t spb_sector_errors;

/* Whether sector number of its bank is protected from writing, in whatever way.  locked: its bit nWRP is 0. */
bool spb_sector_protected(uint32_t number, bool locked);

/* Caches of the flash interface off; returns what to restore. */
uint32_t spb_sector_begin(void);

/* Caches as they were, and nothing in them of the len bytes at address. */
void spb_sector_end(uint32_t before, uint32_t address, uint32_t len);

#endif
