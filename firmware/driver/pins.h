/* SPDX-License-Identifier: MIT */
/* pins.h - pins by a table, of external flash and of an ULPI PHY: there are too many of them for shifts and masks in the code
 * (gpio.h). */
#ifndef SPB_PINS_H
#define SPB_PINS_H

#include <stdint.h>

#include "gpio.h"

/* Each is port << 8 | pin << 4 | alternate function, ports counted from A.  As fast as they can. */
void spb_pins(const uint16_t *pins, uint32_t count, enum spb_pull pull);

#endif
