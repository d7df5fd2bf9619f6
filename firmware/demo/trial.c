/* SPDX-License-Identifier: MIT */
/* trial.c - an application that stays on trial until somebody types c: who resets the board before sees it go back. */
#include "clock.h"
#include "console.h"
#include "cortex.h"
#include "demo_version.h"
#include "gpio.h"
#include "spb_chip.h"
#include "spboot/spboot.h"
#include "tick.h"
#include "uart_line.h"
#include "usart.h"

#define LOG(...) spb_console_log(__VA_ARGS__)
#define BLINK_MS 50u

void demo_main(void);

static void say_state(void) {
    SE_StatusTypeDef se;
    SE_APP_UpdateInfo update;
    if (SE_APP_GetUpdateInfo(&se, &update) == SE_SUCCESS && update.state == SE_APP_UpdateState_TRIAL) {
        LOG("trial: not confirmed; c keeps it, a reset goes back to the version before");
    } else {
        LOG("trial: this version stays");
    }
}

void demo_main(void) {
    spb_clock_start();
    spb_gpio_console();
    spb_usart_start(spb_clock_console_hz());
    spb_tick_start();
    spb_line_start();
    SPB_LED_START();
    LOG("trial %s on %s: c confirms, r resets", DEMO_VERSION, SPB_BOARD_NAME);
    say_state();
    for (;;) {
        int key = spb_line_get(BLINK_MS);
        SPB_LED_WRITE((spb_tick_ms() / BLINK_MS & 1) != 0);
        if (key == 'c') {
            SE_StatusTypeDef se;
            if (SE_APP_ConfirmActiveFw(&se) != SE_SUCCESS) LOG("trial: the confirmation could not be kept");
            say_state();
        }
        if (key == 'r') {
            spb_line_flush();
            spb_usart_stop();
            spb_cortex_reset();
        }
    }
}
