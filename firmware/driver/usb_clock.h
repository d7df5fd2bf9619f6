/* SPDX-License-Identifier: MIT */
/* usb_clock.h - 48 MHz, exact to 0.25 %, and supply for an OTG core (usb_clock_f4.c ...).
 * The oscillator that the core of the chip runs on is not exact enough, so that it is another one while USB is used.  No wait
 * for it is without an end. */
#ifndef SPB_USB_CLOCK_H
#define SPB_USB_CLOCK_H

#include "text.h"

/* SPB_TEXT_NONE, or which oscillator does not start.  Once it runs this changes nothing. */
enum spb_text spb_usb_clock_start(void);

/* All of it as before the start. */
void spb_usb_clock_stop(void);

#endif
