/* SPDX-License-Identifier: MIT */
/* console.c - a USART of IP version 3 or 4 (STM32F0, F3, F7, G0, G4, H7, L0, L4, L5, U5, WB, WL); RM0351 chapter 40. */
#include "console.h"

#include <stdbool.h>

#include "board.h"

#define RING 2048u      /* a power of two; YMODEM sends one block of 1,029 bytes and waits for its answer */

#define CR1 REG(BOARD_UART + 0x00u)
#define BRR REG(BOARD_UART + 0x0Cu)
#define ISR REG(BOARD_UART + 0x1Cu)
#define ICR REG(BOARD_UART + 0x20u)
#define RDR REG(BOARD_UART + 0x24u)
#define TDR REG(BOARD_UART + 0x28u)
#define CR1_UE (1u << 0)
#define CR1_RE (1u << 2)
#define CR1_TE (1u << 3)
#define CR1_RXNEIE (1u << 5)
#define ISR_ERRORS 0xFu         /* parity, framing, noise, overrun: the same bits clear them in ICR */
#define ISR_RXNE (1u << 5)
#define ISR_TC (1u << 6)
#define ISR_TXE (1u << 7)

#define SYST_CSR REG(0xE000E010u)
#define SYST_RVR REG(0xE000E014u)
#define SYST_CVR REG(0xE000E018u)
#define NVIC_ISER(irq) REG(0xE000E100u + 4u * ((irq) / 32u))

static uint8_t ring[RING];
static volatile uint32_t put_count, got_count;  /* of all bytes: what is between them is in the ring */
static volatile uint32_t ticks;

void console_interrupt(void) {
    uint32_t isr = ISR;
    if (isr & ISR_ERRORS) ICR = isr & ISR_ERRORS;
    if ((isr & ISR_RXNE) == 0) return;
    uint8_t byte = (uint8_t)RDR;
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
    BRR = (BOARD_CLOCK_HZ + BOARD_BAUD / 2u) / BOARD_BAUD;
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
    while ((ISR & ISR_TXE) == 0) {}
    TDR = byte;
}

void console_flush(void) {
    while ((ISR & ISR_TC) == 0) {}
}
