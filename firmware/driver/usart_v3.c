/* SPDX-License-Identifier: MIT */
/* usart_v3.c - USART and LPUART (IP usart_v3; usart_v4 with its FIFO off, as after a reset).  RM0351 chapters 40, 41. */
#include "usart.h"

#include "reg.h"
#include "spb_chip.h"

#define CR1 (SPB_CONSOLE_BASE + USART_CR1_OFF)
#define BRR (SPB_CONSOLE_BASE + USART_BRR_OFF)
#define ISR (SPB_CONSOLE_BASE + USART_ISR_OFF)
#define ICR (SPB_CONSOLE_BASE + USART_ICR_OFF)
#define RDR (SPB_CONSOLE_BASE + USART_RDR_OFF)
#define TDR (SPB_CONSOLE_BASE + USART_TDR_OFF)

/* LPUART counts 256ths of a clock (RM0351 41.4.4). */
#define STEPS (SPB_CONSOLE_LOW_POWER ? 256u : 1u)

_Static_assert(SPB_CONSOLE_BAUD < 0x1000000u, "its 256-fold fits a word");

void spb_usart_start(uint32_t clock_hz) {
    uint32_t whole = clock_hz / SPB_CONSOLE_BAUD, rest = clock_hz % SPB_CONSOLE_BAUD;
    reg_write(BRR, whole * STEPS + (rest * STEPS + SPB_CONSOLE_BAUD / 2) / SPB_CONSOLE_BAUD);
    reg_write(CR1, USART_CR1_UE | USART_CR1_TE | USART_CR1_RE);
    reg_wait(ISR, USART_ISR_TEACK | USART_ISR_REACK, USART_ISR_TEACK | USART_ISR_REACK);
}

void spb_usart_drain(void) { reg_wait(ISR, USART_ISR_TC, USART_ISR_TC); }

void spb_usart_stop(void) {
    spb_usart_drain();
    reg_pulse(RCC_BASE + SPB_CONSOLE_RESET_OFF, SPB_CONSOLE_RESET);
    reg_clear(RCC_BASE + SPB_CONSOLE_ENABLE_OFF, SPB_CONSOLE_ENABLE);
}

bool spb_usart_writable(void) { return (reg_read(ISR) & USART_ISR_TXE) != 0; }

void spb_usart_write(uint8_t byte) { reg_write(TDR, byte); }

bool spb_usart_readable(void) {
    uint32_t isr = reg_read(ISR);
    if (isr & (USART_ISR_ORE | USART_ISR_FE | USART_ISR_NE)) {
        reg_write(ICR, USART_ICR_ORE | USART_ICR_FE | USART_ICR_NE);
    }
    return (isr & USART_ISR_RXNE) != 0;
}

uint8_t spb_usart_read(void) { return (uint8_t)reg_read(RDR); }

bool spb_usart_running(void) {
    uint32_t on = USART_CR1_UE | USART_CR1_TE;
    if ((reg_read(RCC_BASE + SPB_CONSOLE_ENABLE_OFF) & SPB_CONSOLE_ENABLE) == 0) return false;
    return (reg_read(CR1) & on) == on;
}
