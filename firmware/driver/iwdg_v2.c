/* SPDX-License-Identifier: MIT */
/* iwdg_v2.c - IWDG (IP iwdg_v2).  RM0351 chapter 37. */
#include "watchdog.h"

#include "reg.h"
#include "spb_chip.h"

#define KEY_RELOAD 0xAAAAu

void spb_watchdog_feed(void) { reg_write(IWDG_BASE + IWDG_KR_OFF, KEY_RELOAD); }
