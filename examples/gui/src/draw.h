/* SPDX-License-Identifier: MIT */
/* draw.h - pictures and text on the frame buffer.  What is outside of the screen is left out. */
#ifndef DRAW_H
#define DRAW_H

#include <stdint.h>

enum { DRAW_ARGB8888 = 0, DRAW_RGB565 = 4 };

/* As a bitmap database has them: in internal flash, with pointers to pixels outside. */
struct bitmap_entry {
    const void *pixels;
    uint16_t width, height;
    uint32_t format;
};

/* Letters in the order of their codes, and behind them their pixels: four bits each, two to the byte, lines of whole bytes. */
struct letter {
    uint32_t off;       /* from the first pixel of all */
    uint16_t code;
    uint8_t width, height;
    int8_t left, top;
    uint8_t advance, unused;
};

struct font {
    const void *data;
    uint16_t letters, height;
};

void draw_bitmap(const struct bitmap_entry *bitmap, uint32_t x, uint32_t y);

/* A box of one colour, RGB565. */
void draw_box(uint32_t x, uint32_t y, uint32_t width, uint32_t height, uint16_t colour);

/* Codes that the font lacks are left out. */
void draw_text(const struct font *font, const char *text, uint32_t x, uint32_t y, uint16_t colour);

#endif
