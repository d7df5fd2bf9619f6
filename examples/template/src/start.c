/* SPDX-License-Identifier: MIT */
/* start.c - vector table and the way to main().  The bootloader has set stack and VTOR; the chip is as a reset leaves it. */
#include <stdint.h>

#include "board.h"
#include "console.h"

extern uint32_t _estack[], _sidata[], _sdata[], _edata[], _sbss[], _ebss[];

int main(void);
void Reset_Handler(void);

static void stop(void) {
    for (;;) {}
}

__attribute__((noreturn, used)) void Reset_Handler(void) {
    const uint32_t *from = _sidata;
    for (volatile uint32_t *to = _sdata; to < _edata;) *to++ = *from++;
    for (volatile uint32_t *to = _sbss; to < _ebss;) *to++ = 0;
    (void)main();
    for (;;) {}
}

struct vectors {
    uint32_t *stack;
    void (*handler[15 + BOARD_UART_IRQ + 1])(void);
};

extern const struct vectors g_pfnVectors;
__attribute__((section(".isr_vector"), used)) const struct vectors g_pfnVectors = {
    .stack = _estack,
    .handler = {[0] = Reset_Handler, [1] = stop, [2] = stop, [3] = stop, [4] = stop, [5] = stop,
                [14] = console_tick, [15 + BOARD_UART_IRQ] = console_interrupt},
};
