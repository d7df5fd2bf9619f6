/* SPDX-License-Identifier: MIT */
/* main.c - an application that blinks, and takes updates over its console. */
#include <stdint.h>

#include "board.h"
#include "console.h"
#include "update.h"

#define BLINK_MS 250u

int main(void) {
    board_start();
    console_start();
    update_banner();
    update_confirm();
    for (;;) {
        int key = console_get(BLINK_MS);
        board_led(console_ms() / BLINK_MS & 1u);
        if (key == 'u') update_run();
        if (key == 'r') update_reset();
    }
}
