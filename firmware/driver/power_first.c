/* SPDX-License-Identifier: MIT */
/* power_first.c - for chips whose RAM can be used as soon as a reset has ended: all but STM32H7. */
#include "power.h"

__attribute__((used)) void spb_power_first(void) {}
