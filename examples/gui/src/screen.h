/* SPDX-License-Identifier: MIT */
/* screen.h - what the product shows. */
#ifndef SCREEN_H
#define SCREEN_H

void screen_draw(void);

#endif
