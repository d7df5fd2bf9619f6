/* SPDX-License-Identifier: MIT */
/* power_gate.h - PWR where its clock is off but for a moment (pwr_l4.c, pwr_g0.c, pwr_g4.c). */
#ifndef SPB_POWER_GATE_H
#define SPB_POWER_GATE_H

#include "reg.h"
#include "spb_chip.h"

static inline uint32_t spb_power_read(uint32_t off) {
    uint32_t before = reg_read(RCC_BASE + SPB_PWR_ENABLE_OFF);
    reg_write(RCC_BASE + SPB_PWR_ENABLE_OFF, before | SPB_PWR_ENABLE);
    (void)reg_read(RCC_BASE + SPB_PWR_ENABLE_OFF);
    uint32_t value = reg_read(PWR_BASE + off);
    reg_write(RCC_BASE + SPB_PWR_ENABLE_OFF, before);
    return value;
}

#endif
