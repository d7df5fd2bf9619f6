/* SPDX-License-Identifier: MIT */
/* disk.h - a disk that is only read, in sectors of 512 bytes; storage.c has a flash drive.
 * D1  It ends: opening within wait_ms and 60 s, a sector within 30 s, whatever the device does, and when it is pulled out; the
 *     watchdog is fed meanwhile.
 * D2  Nothing is written to it. */
#ifndef SPB_DISK_H
#define SPB_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

#define SPB_SECTOR_SIZE 512u

/* Wait for one, and make it ready.  SPB_TEXT_NONE, or why there is none.  Close it whatever this says. */
enum spb_text spb_disk_open(uint32_t wait_ms);

/* How many there are; what is behind 2 TB is not. */
uint32_t spb_disk_sectors(void);

/* One sector into SPB_SECTOR_SIZE bytes at a multiple of four; false where there is none, or it cannot be read: open the disk
 * again. */
bool spb_disk_read(uint32_t sector, uint8_t *to);

/* As before it was opened; the device has no power. */
void spb_disk_close(void);

#endif
