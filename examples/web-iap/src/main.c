/* SPDX-License-Identifier: MIT */
/* main.c - an application with a page that takes updates: everything in one loop, nothing in it waits. */
#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "console.h"
#include "intake.h"
#include "net.h"
#include "server.h"
#include "update.h"

#define BLINK_MS 250u

int main(void);

/* A version is good once it can be updated again: MAC and PHY answer, the server listens, and the link has been up. */
static void confirm(bool serves) {
    static bool confirmed;
    if (confirmed || !serves || !net_linked()) return;
    confirmed = true;
    console_text("app: self-test good\r\n");
    update_confirm();
}

int main(void) {
    board_start();
    console_start();
    update_banner();
    bool serves = net_start() && server_start();
    console_text(serves ? "app: http://192.168.0.10/ takes updates\r\n" : "app: Ethernet does not answer\r\n");
    for (;;) {
        net_poll();
        server_poll();
        confirm(serves);
        int key = console_get(0);
        board_led(console_ms() / BLINK_MS & 1u);
        if (key == 'u' && !intake_now().busy) update_run();
        if (key == 'r') update_reset();
        __asm volatile("wfi");          /* until the next tick at the latest */
    }
}
