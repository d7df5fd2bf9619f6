/* SPDX-License-Identifier: MIT */
/* console.c - a USART of IP version 3 or 4 (STM32F0, F3, F7, G0, G4, H7, L0, L4, L5, U5, WB, WL; RM0351 chapter 40), or of
 * version 2 where the board's header says so: #define BOARD_UART_VERSION 2 (STM32F2, F4, L1; RM0090 chapter 30). */
#include "console.h"

#include <stdbool.h>

#include "board.h"

#define RING 2048u      /* a power of two; YMODEM sends one block of 1,029 bytes and waits for its answer */

#ifndef BOARD_UART_VERSION
#define BOARD_UART_VERSION 3
#endif
#ifndef BOARD_UART_HZ
#define BOARD_UART_HZ BOARD_CLOCK_HZ
#endif

#define RE (1u << 2)            /* these are where they are in either version */
#define TE (1u << 3)
#define RXNE (1u << 5)
#define RXNEIE (1u << 5)
#define TC (1u << 6)
#define TXE (1u << 7)

#if BOARD_UART_VERSION == 2
#define STATUS REG(BOARD_UART + 0x00u)
#define RECEIVED REG(BOARD_UART + 0x04u)
#define SENT REG(BOARD_UART + 0x04u)
#define BRR REG(BOARD_UART + 0x08u)
#define CR1 REG(BOARD_UART + 0x0Cu)
#define UE (1u << 13)
#define ORE (1u << 3)

/* Reading DR behind SR takes the byte and clears the errors (RM0090 30.6.1). */
static bool received(uint8_t *byte) {
    uint32_t status = STATUS;
    if ((status & (RXNE | ORE)) == 0) return false;
    *byte = (uint8_t)RECEIVED;
    return (status & RXNE) != 0;
}
#else
#define CR1 REG(BOARD_UART + 0x00u)
#define BRR REG(BOARD_UART + 0x0Cu)
#define STATUS REG(BOARD_UART + 0x1Cu)
#define ICR REG(BOARD_UART + 0x20u)
#define RECEIVED REG(BOARD_UART + 0x24u)
#define SENT REG(BOARD_UART + 0x28u)
#define UE (1u << 0)
#define ERRORS 0xFu             /* parity, framing, noise, overrun: the same bits clear them in ICR */

static bool received(uint8_t *byte) {
    uint32_t status = STATUS;
    if (status & ERRORS) ICR = status & ERRORS;
    if ((status & RXNE) == 0) return false;
    *byte = (uint8_t)RECEIVED;
    return true;
}
#endif

#define SYST_CSR REG(0xE000E010u)
#define SYST_RVR REG(0xE000E014u)
#define SYST_CVR REG(0xE000E018u)
#define NVIC_ISER(irq) REG(0xE000E100u + 4u * ((irq) / 32u))

static uint8_t ring[RING];
static volatile uint32_t put_count, got_count;  /* of all bytes: what is between them is in the ring */
static volatile uint32_t ticks;

void console_interrupt(void) {
    uint8_t byte;
    if (!received(&byte)) return;
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
    BRR = (BOARD_UART_HZ + BOARD_BAUD / 2u) / BOARD_BAUD;
    CR1 = UE | RE | TE | RXNEIE;
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
    while ((STATUS & TXE) == 0) {}
    SENT = byte;
}

void console_flush(void) {
    while ((STATUS & TC) == 0) {}
}
