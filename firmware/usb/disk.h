/* SPDX-License-Identifier: MIT */
/* disk.h - a disk that is only read, in sectors of 512 bytes; storage.c has a flash drive.
 * D1  It ends: a start within 3 s, an opening within 60 s, a sector within 30 s, whatever the device does, and when it is pulled
 *     out; the watchdog is fed meanwhile.
 * D2  Nothing is written to it. */
#ifndef SPB_DISK_H
#define SPB_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

#define SPB_SECTOR_SIZE 512u

/* Power for who may be plugged in.  SPB_TEXT_NONE, or why there is none.  Stop it whatever this says. */
enum spb_text spb_disk_start(void);

/* Something is plugged in, or takes too much current. */
bool spb_disk_present(void);

/* Make it ready.  SPB_TEXT_NONE, or why it is not; then, and once it cannot be read any more, stop and start help. */
enum spb_text spb_disk_open(void);

/* What it calls itself: printable ASCII, until it is opened anew. */
const char *spb_disk_name(void);

/* How many there are; what is behind 2 TB is not. */
uint32_t spb_disk_sectors(void);

/* One sector into SPB_SECTOR_SIZE bytes at a multiple of four; false where there is none, or it cannot be read: open the disk
 * again. */
bool spb_disk_read(uint32_t sector, uint8_t *to);

/* As before the start; the device has no power. */
void spb_disk_stop(void);

#endif
