/* SPDX-License-Identifier: MIT */
/* display.h - a frame buffer of RGB565 in SRAM, which LTDC shows. */
#ifndef DISPLAY_H
#define DISPLAY_H

#include <stdint.h>

#define DISPLAY_WIDTH 320u
#define DISPLAY_HEIGHT 240u

extern uint16_t display_pixels[DISPLAY_HEIGHT][DISPLAY_WIDTH];

/* From here on pixels are shown. */
void display_start(void);

#endif
