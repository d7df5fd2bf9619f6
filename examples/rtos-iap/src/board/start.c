/* SPDX-License-Identifier: MIT */
/* start.c - vector table and the way to main().  The bootloader has set stack and VTOR; the chip is as a reset leaves it.
 * Handlers have the names of CMSIS, which FreeRTOS and ThreadX use, too; who defines one replaces ours. */
#include <stdint.h>

#include "board.h"
#include "console.h"

#define CPACR REG(0xE000ED88u)
#define CPACR_FPU (0xFu << 20)
#define LAST_IRQ 65u

extern uint32_t _estack[], _sidata[], _sdata[], _edata[], _sbss[], _ebss[];

int main(void);
void Reset_Handler(void);
void DMA1_Channel6_IRQHandler(void);
void LPTIM1_IRQHandler(void);
void PendSV_Handler(void);
void SysTick_Handler(void);
void SVC_Handler(void);

/* Stays here, until the watchdog resets. */
static void stop(void) {
    for (;;) {}
}

__attribute__((weak)) void SVC_Handler(void) { stop(); }

/* The FPU first: the compiler may use it anywhere. */
__attribute__((noreturn, used)) void Reset_Handler(void) {
    CPACR |= CPACR_FPU;
    __asm volatile("dsb\n isb" ::: "memory");
    const uint32_t *from = _sidata;
    for (volatile uint32_t *to = _sdata; to < _edata;) *to++ = *from++;
    for (volatile uint32_t *to = _sbss; to < _ebss;) *to++ = 0;
    (void)main();
    for (;;) {}
}

struct vectors {
    uint32_t *stack;
    void (*handler[15 + LAST_IRQ + 1])(void);
};

extern const struct vectors g_pfnVectors;
__attribute__((section(".isr_vector"), used)) const struct vectors g_pfnVectors = {
    .stack = _estack,
    .handler = {[0] = Reset_Handler, [1] = stop, [2] = stop, [3] = stop, [4] = stop, [5] = stop, [10] = SVC_Handler,
                [13] = PendSV_Handler, [14] = SysTick_Handler, [15 + 16] = DMA1_Channel6_IRQHandler,
                [15 + BOARD_UART_IRQ] = console_interrupt, [15 + LAST_IRQ] = LPTIM1_IRQHandler},
};
