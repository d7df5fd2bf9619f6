/* SPDX-License-Identifier: MIT */
/* flash_g0.h - what of flash_g0.c the IP versions do differently (flash_g0x0.c, flash_g0x1.c). */
#ifndef SPB_FLASH_G0_H
#define SPB_FLASH_G0_H

#include <stdint.h>

/* The option bits that make two banks, with bank 1 first. */
extern const uint32_t spb_g0_layout;

#endif
