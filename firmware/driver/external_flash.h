/* SPDX-License-Identifier: MIT */
/* external_flash.h - serial NOR flash beside the microcontroller, one chip or two in parallel, whichever controller has it.
 * X1  Between calls the window is mapped, and everything in it can be read.  During erase, program and writable it is away:
 *     who reads it then, be it DMA or the other core, gets a bus error.
 * X2  No bit of a chip is written but its cells: no register, volatile or not.
 * X3  Nothing is sent that changes cells before RDID has answered what the board's chip answers, all of them.
 * X4  No wait is without an end.
 * X5  In a running application the controller is the application's: it is found mapped, and left as it was found but for the
 *     registers of the last command (DLR, AR, PSMKR, PSMAR, PIR), or nothing is touched.
 * X6  Of a board that shares by slices: in a running application interrupts are masked while the window is away, for some
 *     milliseconds; then it is back for as long, and what goes on in the chips is suspended. */
#ifndef SPB_EXTERNAL_FLASH_H
#define SPB_EXTERNAL_FLASH_H

#include <stdbool.h>

#include "flash.h"
#include "text.h"

extern const struct spb_flash spb_external_flash;

/* Erase a block of it (port.h). */
enum spb_status spb_external_erase_block(uint32_t off);

/* Of the bootloader, after spb_clock_start(): from whatever state the chips were left in to a mapped window.  SPB_TEXT_NONE, or
 * why not; then nothing of it may be read. */
enum spb_text spb_external_start(void);

/* Behind a start that failed: what the chips answer to RDID, three bytes as one number: of two the first answer that is not as expected. */
uint32_t spb_external_id(void);

/* Controller, clock and MPU as after a reset, whatever spb_external_start() said; the chips are, too.  The pins are with the
 * ports, by spb_clock_stop(). */
void spb_external_stop(void);

/* The window is mapped by a command that spb_external_flash can take turns with: nothing of it may be read where it is not. */
bool spb_external_mapped(void);

/* It is not, and nothing of an application's is lost by a start: the MPU of a Cortex-M7 is off. */
bool spb_external_unused(void);

#endif
