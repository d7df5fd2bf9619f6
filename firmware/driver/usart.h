/* SPDX-License-Identifier: MIT */
/* usart.h - the console UART, polled, whichever IP version drives it (usart_v3.c ...). */
#ifndef SPB_USART_H
#define SPB_USART_H

#include <stdbool.h>
#include <stdint.h>

/* 8N1 at SPB_CONSOLE_BAUD from a kernel clock of clock_hz; pins and clock are on. */
void spb_usart_start(uint32_t clock_hz);

/* Wait for the last byte to leave: its clock is about to change. */
void spb_usart_drain(void);

/* Drain, then reset the block. */
void spb_usart_stop(void);

bool spb_usart_writable(void);
void spb_usart_write(uint8_t byte);

/* A byte came; overruns are cleared on the way. */
bool spb_usart_readable(void);
uint8_t spb_usart_read(void);

/* Somebody keeps the UART clocked, enabled and sending. */
bool spb_usart_running(void);

#endif
