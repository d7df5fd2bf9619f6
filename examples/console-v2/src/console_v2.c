/* SPDX-License-Identifier: MIT */
/* console_v2.c - the template's console.h for a USART of IP version 2 (STM32F2, F4, L1); RM0090 chapter 30. */
#include "console.h"

#include <stdbool.h>

#include "board.h"

#define RING 2048u      /* a power of two; YMODEM sends one block of 1,029 bytes and waits for its answer */

#define SR REG(BOARD_UART + 0x00u)
#define DR REG(BOARD_UART + 0x04u)
#define BRR REG(BOARD_UART + 0x08u)
#define CR1 REG(BOARD_UART + 0x0Cu)
#define CR1_RE (1u << 2)
#define CR1_TE (1u << 3)
#define CR1_RXNEIE (1u << 5)
#define CR1_UE (1u << 13)
#define SR_ORE (1u << 3)
#define SR_RXNE (1u << 5)
#define SR_TC (1u << 6)
#define SR_TXE (1u << 7)

#define SYST_CSR REG(0xE000E010u)
#define SYST_RVR REG(0xE000E014u)
#define SYST_CVR REG(0xE000E018u)
#define NVIC_ISER(irq) REG(0xE000E100u + 4u * ((irq) / 32u))

static uint8_t ring[RING];
static volatile uint32_t put_count, got_count;  /* of all bytes: what is between them is in the ring */
static volatile uint32_t ticks;

/* Reading DR behind SR takes the byte and clears the errors (RM0090 30.6.1). */
void console_interrupt(void) {
    uint32_t sr = SR;
    if ((sr & (SR_RXNE | SR_ORE)) == 0) return;
    uint8_t byte = (uint8_t)DR;
    if ((sr & SR_RXNE) == 0) return;
    if (put_count - got_count == RING) return;  /* full: the byte is lost, which the CRC of a block finds */
    ring[put_count % RING] = byte;
    put_count++;
}

void console_tick(void) { ticks++; }

uint32_t console_ms(void) { return ticks; }

void console_start(void) {
    SYST_RVR = BOARD_CLOCK_HZ / 1000u - 1u;
    SYST_CVR = 0;
    SYST_CSR = 7u;
    BRR = (BOARD_BUS_HZ + BOARD_BAUD / 2u) / BOARD_BAUD;
    CR1 = CR1_UE | CR1_RE | CR1_TE | CR1_RXNEIE;
    NVIC_ISER(BOARD_UART_IRQ) = 1u << BOARD_UART_IRQ % 32u;
}

int console_get(uint32_t timeout_ms) {
    uint32_t start = ticks;
    while (put_count == got_count) {
        if (ticks - start >= timeout_ms) return CONSOLE_NOTHING;
        __asm volatile("wfi");          /* until the next byte; at the latest until the next tick */
    }
    int byte = ring[got_count % RING];
    got_count++;
    return byte;
}

void console_put(uint8_t byte) {
    while ((SR & SR_TXE) == 0) {}
    DR = byte;
}

void console_flush(void) {
    while ((SR & SR_TC) == 0) {}
}
