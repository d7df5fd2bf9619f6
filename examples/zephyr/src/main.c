/* SPDX-License-Identifier: MIT */
/* main.c - a task of Zephyr that blinks, and takes updates over the UART of the console. */
#include <zephyr/drivers/gpio.h>

#include "console.h"
#include "spboot/spboot.h"
#include "update.h"

#define BLINK_MS 250u

static const struct gpio_dt_spec led = GPIO_DT_SPEC_GET(DT_ALIAS(led0), gpios);

int main(void) {
    SE_PATCH_SetStack(SE_PATCH_Stack_CALLER);   /* the stacks of Zephyr are watched */
    (void)gpio_pin_configure_dt(&led, GPIO_OUTPUT_INACTIVE);
    console_start();
    update_banner();
    update_confirm();
    for (;;) {
        int key = console_get(BLINK_MS);
        (void)gpio_pin_set_dt(&led, (int)(console_ms() / BLINK_MS & 1u));
        if (key == 'u') update_run();
        if (key == 'r') update_reset();
    }
}
