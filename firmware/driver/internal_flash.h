/* SPDX-License-Identifier: MIT */
/* internal_flash.h - the internal flash, whichever IP version drives it (flash_l4.c ...). */
#ifndef SPB_INTERNAL_FLASH_H
#define SPB_INTERNAL_FLASH_H

#include "bytes.h"
#include "flash.h"
#include "reg.h"
#include "spb_chip.h"
#include "text.h"

extern const struct spb_flash spb_internal_flash;

/* SPB_TEXT_NONE, or why this chip's flash is not laid out as the board file says (option bytes). */
enum spb_text spb_flash_problem(void);

/* Read protection level, 0 to 2. */
uint32_t spb_flash_protection(void);

/* SPB_TEXT_NONE, or what option bytes make of this chip that is better otherwise. */
enum spb_text spb_flash_warning(void);

/* Whether an option byte starts the independent watchdog at every reset. */
bool spb_flash_starts_watchdog(void);

/* Whether option bytes keep the erase unit at off from being erased and programmed: by write protection, or by one from
 * reading, which includes it.  The two below ask it (protection.c). */
bool spb_flash_protected(uint32_t off);

/* Of the len bytes at off, whole erase units, none is protected. */
bool spb_flash_writable(uint32_t off, uint32_t len);

/* Every unit of the bootloader is. */
bool spb_flash_write_protected(void);

/* Called by the NMI handler: the flash interface met an uncorrectable word.  stacked_pc points at the return address
 * in the exception frame, so that a load that would be retried for ever is stepped over.  An error met anywhere but in
 * read() makes the boot start over: the code that met it would go on with garbage. */
void spb_flash_ecc_nmi(uint32_t *stacked_pc);

/* Of the boot room: note that this boot ended at pc, and reset. */
__attribute__((noreturn)) void spb_start_over(uint32_t pc);

/* The words that the len bytes at off are in, to RAM. */
static inline void spb_flash_copy(uint32_t *to, uint32_t off, uint32_t len) {
    for (uint32_t at = 0; at < len; at += 4) *to++ = reg_read(SPB_FLASH_ADDRESS + off + at);
}

/* RDP option byte as a level: the same two values on every part. */
static inline uint32_t spb_flash_rdp_level(uint32_t rdp) { return rdp == 0xAAu ? 0 : rdp == 0xCCu ? 2 : 1; }

#endif
