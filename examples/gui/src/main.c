/* SPDX-License-Identifier: MIT */
/* main.c - draws a screen of what is in external flash, and takes updates over its console. */
#include <stdint.h>

#include "board.h"
#include "console.h"
#include "display.h"
#include "outside.h"
#include "screen.h"
#include "update.h"

#define BLINK_MS 250u

static void draw(void) {
    screen_draw();
    console_text("gui: drawn\r\n");
}

int main(void) {
    board_start();
    console_start();
    update_banner();
    outside_start();
    draw();
    display_start();
    update_confirm();
    for (;;) {
        int key = console_get(BLINK_MS);
        board_led(console_ms() / BLINK_MS & 1u);
        if (key == 'd') draw();
        if (key == 'u') update_run();   /* what is shown stays: it is in RAM */
        if (key == 'r') update_reset();
    }
}
