/* SPDX-License-Identifier: MIT */
/* production.h - a bootloader for production protects itself (production.c, which no other bootloader has). */
#ifndef SPB_PRODUCTION_H
#define SPB_PRODUCTION_H

#include <stdint.h>

#include "text.h"

/* At every boot: SPB_TEXT_NONE when the chip is protected as this bootloader was built for, or why it must not go on.  note:
 * what the boot before left.  Where protection is to be set it is, and a reset follows. */
enum spb_text spb_production(uint32_t note);

#endif
