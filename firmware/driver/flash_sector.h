/* SPDX-License-Identifier: MIT */
/* flash_sector.h - what of flash_sector.c the IP versions do differently (flash_f4.c, flash_f7.c). */
#ifndef SPB_FLASH_SECTOR_H
#define SPB_FLASH_SECTOR_H

#include <stdint.h>

/* The error flags of FLASH_SR. */
extern const uint32_t spb_sector_errors;

/* The bit of FLASH_OPTCR that makes write protection one from reading, 0 where there is none. */
extern const uint32_t spb_sector_reads;

/* Caches of the flash interface off; returns what to restore. */
uint32_t spb_sector_begin(void);

/* Caches as they were, and nothing in them of the len bytes at address. */
void spb_sector_end(uint32_t before, uint32_t address, uint32_t len);

#endif
