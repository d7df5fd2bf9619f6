/* SPDX-License-Identifier: MIT */
#include "rest.h"
#include "tasks.h"

void turns_next(volatile struct turns *turns, uint32_t *at, uint32_t period) {
    kernel_sleep_until(at, period);
    uint32_t late_us = rest_us() - *at * 1000u;
    if (late_us > turns->late_us) turns->late_us = late_us;
    turns->runs++;
}
