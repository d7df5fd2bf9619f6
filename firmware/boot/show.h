/* SPDX-License-Identifier: MIT */
/* show.h - what a person sees of an install, on the console and by the LED. */
#ifndef SPB_SHOW_H
#define SPB_SHOW_H

#include <stdint.h>

/* So many of all pages are in SLOT0. */
void spb_show_install(uint32_t done, uint32_t all);

#endif
