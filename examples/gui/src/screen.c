/* SPDX-License-Identifier: MIT */
#include "screen.h"

#include "bitmap_database.h"
#include "draw.h"
#include "spboot_version.h"

#define WHITE 0xFFFFu
#define GREY 0x4208u
#define AMBER 0xFD20u
#define PROGRESS 40u    /* per cent */

static void icon(enum bitmap which, uint32_t place) {
    draw_bitmap(&bitmap_database[which], 160u + 72u * (place % 2u), 52u + 60u * (place / 2u));
}

void screen_draw(void) {
    draw_bitmap(&bitmap_database[BITMAP_BACKGROUND], 0, 0);
    draw_bitmap(&bitmap_database[BITMAP_PHOTO], 16u, 56u);
    icon(BITMAP_ICON_START, 0);
    icon(BITMAP_ICON_WARM, 1);
    icon(BITMAP_ICON_SPIN, 2);
    icon(BITMAP_ICON_LOCK, 3);
    draw_text(&font_large, "COTTON 40", 16u, 14u, WHITE);
    draw_text(&font_small, "TIME LEFT 1:25", 16u, 170u, WHITE);
    draw_box(16u, 192u, 288u, 12u, GREY);
    draw_box(18u, 194u, 284u * PROGRESS / 100u, 8u, AMBER);
    draw_text(&font_small, "VERSION " SPBOOT_VERSION, 16u, 216u, WHITE);
}
