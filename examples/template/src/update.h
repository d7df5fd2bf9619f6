/* SPDX-License-Identifier: MIT */
/* update.h - how this application takes an update: it feeds the bootloader's engine (spboot/spboot.h). */
#ifndef UPDATE_H
#define UPDATE_H

#include <stdint.h>

/* Say what runs: the version that was compiled in, the one that is installed, the bootloader's. */
void update_banner(void);

/* Keep this version, which is on trial until then: without the call the next reset brings back the one before.  Call it once
 * the application has shown that it works; here that is the banner.  Says what became of the last update. */
void update_confirm(void);

/* Receive a .sfb or .sfbp file by YMODEM over the console; resets to install it once it is complete. */
void update_run(void);

void update_reset(void);

#endif
