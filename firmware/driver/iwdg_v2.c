/* SPDX-License-Identifier: MIT */
/* iwdg_v2.c - IP iwdg_v2: the counter may be reloaded once it is not above WINR (RM0351 37.3.2). */
#include "iwdg.h"

#include "reg.h"
#include "spb_chip.h"

bool spb_iwdg_window(void) { return reg_read(IWDG_BASE + IWDG_WINR_OFF) < reg_read(IWDG_BASE + IWDG_RLR_OFF); }
