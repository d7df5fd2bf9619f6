/* SPDX-License-Identifier: MIT */
/* options.h - option bytes of a bootloader for production: options_ecc.c and kin program them, and no other bootloader has
 * these files (drivers.toml).
 * O1  Read protection is never lowered.  Of all other bits only those change that protect the bootloader from writing; where
 *     a cut lost option bytes, those too that make the flash be laid out as the board file says.
 * O2  All changes are one operation where the chip can do that, and there is none when nothing is to change: an operation on
 *     option bytes is what a cut may not meet (RM0444 3.4.2, Caution).
 * O3  Every wait ends. */
#ifndef SPB_OPTIONS_H
#define SPB_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "internal_flash.h"
#include "spb_chip.h"
#include "text.h"

#define SPB_OPTIONS_FAILED "option bytes could not be programmed"

/* The last reset found option bytes that do not fit their complements, and took values of its own.  Where the chip does not
 * tell: never. */
bool spb_options_torn(void);

/* Read protection of level SPB_PRODUCTION_LEVEL at least, and write protection of the bootloader, as the next reset loads
 * them: on most chips it comes from here, and nothing returns.  Otherwise SPB_TEXT_NONE when it is to be made, or why it was
 * not done. */
enum spb_text spb_options_protect(void);

/* The byte RDP, of which it is now (O1).  Level 1 is any value but those of the other levels, 0x55 among them on STM32L5 and
 * STM32U5 (RM0438 6.6.1, RM0456 7.6.2). */
static inline uint32_t spb_options_rdp(uint32_t now) {
    uint32_t level = SPB_PRODUCTION_LEVEL;
    if (spb_flash_rdp_level(now) >= level) return now;
    return level == 2 ? 0xCCu : 0xBBu;
}

#endif
