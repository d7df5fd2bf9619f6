/* SPDX-License-Identifier: MIT */
/* iwdg_v1.c - IP iwdg_v1, STM32F4: it has no window. */
#include "iwdg.h"

bool spb_iwdg_window(void) { return false; }
