/* SPDX-License-Identifier: MIT */
/* disk.h - a USB stick, as who reads files sees it: sectors of 512 bytes.  Whoever drives it defines these functions, once
 * the medium is ready; one with sectors of another size it refuses itself, in a sentence.  Nothing here writes. */
#ifndef SPB_DISK_H
#define SPB_DISK_H

#include <stdbool.h>
#include <stdint.h>

#define SPB_SECTOR_SIZE 512u

/* Sectors there are; what is behind 2 TB is not. */
uint32_t spb_disk_sectors(void);

/* One sector, which there is, into SPB_SECTOR_SIZE bytes at a multiple of four.  False when it cannot be read, or the stick
 * is gone.  Feeds the watchdog while it waits. */
bool spb_disk_read(uint32_t sector, uint8_t *to);

#endif
