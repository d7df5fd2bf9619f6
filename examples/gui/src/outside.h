/* SPDX-License-Identifier: MIT */
/* outside.h - the flash N25Q128A at QUADSPI: what is linked to 0x90000000 is there to be read from outside_start() on.
 * O1  While SE_PATCH_Data or another call of the bootloader writes, nobody reads there: what is shown meanwhile is in RAM.
 * O2  A call leaves the controller as it was: the window is there again when it returns. */
#ifndef OUTSIDE_H
#define OUTSIDE_H

void outside_start(void);

#endif
