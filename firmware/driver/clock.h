/* SPDX-License-Identifier: MIT */
/* clock.h - the clock tree, whichever IP version drives it (rcc_l4.c ...). */
#ifndef SPB_CLOCK_H
#define SPB_CLOCK_H

#include <stdint.h>

#include "text.h"

/* CPU and buses at SPB_CLOCK_HZ; ports and console clocked. */
void spb_clock_start(void);

/* All of it as after a reset, but for the reset cause, which stays for the application. */
void spb_clock_stop(void);

/* Reset flags that nobody has removed yet: bit 0 other, 1 option bytes loaded, 2 pin, 3 power, 4 software, 5 watchdog,
 * 6 window watchdog, 7 entry to a low-power mode that option bytes forbid. */
uint32_t spb_clock_reset_flags(void);

/* What the console's baud rate is made from. */
uint32_t spb_clock_console_hz(void);

/* Clocks of the ports and the console on; the ports in reset state and off again (gates.c, for the above). */
void spb_clock_enable(void);
void spb_clock_disable(void);

#endif
