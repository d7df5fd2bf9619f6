/* SPDX-License-Identifier: MIT */
/* usart_v2.c - USART of STM32F4 (IP usart_v2): one status register, one data register.  RM0090 chapter 30.
 * An error flag goes away by reading SR and then DR (30.6.1), which readable() and read() do in this order. */
#include "usart.h"

#include "reg.h"
#include "spb_chip.h"

#define SR (SPB_CONSOLE_BASE + USART_SR_OFF)
#define DR (SPB_CONSOLE_BASE + USART_DR_OFF)
#define BRR (SPB_CONSOLE_BASE + USART_BRR_OFF)
#define CR1 (SPB_CONSOLE_BASE + USART_CR1_OFF)

void spb_usart_start(uint32_t clock_hz) {
    reg_write(BRR, (clock_hz + SPB_CONSOLE_BAUD / 2) / SPB_CONSOLE_BAUD);
    reg_write(CR1, USART_CR1_UE | USART_CR1_TE | USART_CR1_RE);
}

void spb_usart_drain(void) { reg_wait(SR, USART_SR_TC, USART_SR_TC); }

void spb_usart_stop(void) {
    spb_usart_drain();
    reg_pulse(RCC_BASE + SPB_CONSOLE_RESET_OFF, SPB_CONSOLE_RESET);
    reg_clear(RCC_BASE + SPB_CONSOLE_ENABLE_OFF, SPB_CONSOLE_ENABLE);
}

bool spb_usart_writable(void) { return (reg_read(SR) & USART_SR_TXE) != 0; }

void spb_usart_write(uint8_t byte) { reg_write(DR, byte); }

/* An overrun between reading SR and DR leaves ORE without RXNE: nobody would read DR, and no byte would come any more. */
bool spb_usart_readable(void) {
    uint32_t sr = reg_read(SR);
    if ((sr & (USART_SR_ORE | USART_SR_RXNE)) == USART_SR_ORE) (void)reg_read(DR);
    return (sr & USART_SR_RXNE) != 0;
}

uint8_t spb_usart_read(void) { return (uint8_t)reg_read(DR); }

bool spb_usart_running(void) {
    uint32_t on = USART_CR1_UE | USART_CR1_TE;
    if ((reg_read(RCC_BASE + SPB_CONSOLE_ENABLE_OFF) & SPB_CONSOLE_ENABLE) == 0) return false;
    return (reg_read(CR1) & on) == on;
}
