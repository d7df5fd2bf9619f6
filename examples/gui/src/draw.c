/* SPDX-License-Identifier: MIT */
#include "draw.h"

#include "display.h"

#define RED(colour) ((uint32_t)(colour) >> 11)
#define GREEN(colour) ((uint32_t)(colour) >> 5 & 63u)
#define BLUE(colour) ((uint32_t)(colour) & 31u)

static uint32_t mixed(uint32_t over, uint32_t under, uint32_t alpha) {
    return (over * alpha + under * (255u - alpha) + 127u) / 255u;
}

static void put(uint32_t x, uint32_t y, uint16_t colour, uint32_t alpha) {
    if (x >= DISPLAY_WIDTH || y >= DISPLAY_HEIGHT || alpha == 0) return;
    uint16_t *pixel = &display_pixels[y][x];
    uint32_t red = mixed(RED(colour), RED(*pixel), alpha), green = mixed(GREEN(colour), GREEN(*pixel), alpha);
    *pixel = (uint16_t)(red << 11 | green << 5 | mixed(BLUE(colour), BLUE(*pixel), alpha));
}

static uint16_t of_argb(uint32_t colour) {
    return (uint16_t)((colour >> 8 & 0xF800u) | (colour >> 5 & 0x7E0u) | (colour >> 3 & 0x1Fu));
}

void draw_bitmap(const struct bitmap_entry *bitmap, uint32_t x, uint32_t y) {
    const uint16_t *opaque = bitmap->pixels;
    const uint32_t *argb = bitmap->pixels;
    for (uint32_t row = 0; row < bitmap->height; row++) {
        for (uint32_t column = 0; column < bitmap->width; column++) {
            if (bitmap->format == DRAW_RGB565) {
                put(x + column, y + row, *opaque++, 255u);
            } else {
                put(x + column, y + row, of_argb(*argb), *argb >> 24);
                argb++;
            }
        }
    }
}

void draw_box(uint32_t x, uint32_t y, uint32_t width, uint32_t height, uint16_t colour) {
    for (uint32_t row = 0; row < height; row++) {
        for (uint32_t column = 0; column < width; column++) put(x + column, y + row, colour, 255u);
    }
}

static const struct letter *find(const struct font *font, char code) {
    const struct letter *letter = font->data;
    for (uint32_t left = font->letters; left != 0; left--, letter++) {
        if (letter->code == (uint8_t)code) return letter;
    }
    return 0;
}

void draw_text(const struct font *font, const char *text, uint32_t x, uint32_t y, uint16_t colour) {
    const uint8_t *pixels = (const uint8_t *)font->data + font->letters * sizeof(struct letter);
    for (; *text != '\0'; text++) {
        const struct letter *letter = find(font, *text);
        if (letter == 0) continue;
        const uint8_t *line = pixels + letter->off;
        for (uint32_t row = 0; row < letter->height; row++, line += (letter->width + 1u) / 2u) {
            for (uint32_t column = 0; column < letter->width; column++) {
                uint32_t bits = line[column / 2u] >> (column % 2u ? 4 : 0) & 15u;
                put(x + column, y + row, colour, bits * 17u);
            }
        }
        x += letter->advance;
    }
}
