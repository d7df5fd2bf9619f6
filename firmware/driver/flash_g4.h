/* SPDX-License-Identifier: MIT */
/* flash_g4.h - what of flash_g4.c the IP versions do differently (flash_g4c2.c, flash_g4c3.c). */
#ifndef SPB_FLASH_G4_H
#define SPB_FLASH_G4_H

#include <stdint.h>

/* CR to erase the page at off, but for the start bit. */
uint32_t spb_g4_select(uint32_t off);

/* Bits of OPTR, and what they are where the flash is laid out as the board file says. */
extern const uint32_t spb_g4_layout_bits, spb_g4_layout;

#endif
