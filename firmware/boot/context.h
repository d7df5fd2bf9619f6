/* SPDX-License-Identifier: MIT */
/* context.h - stacks and modes: leaving for the application, and serving its calls. */
#ifndef SPB_CONTEXT_H
#define SPB_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

/* Leave for the image whose vector table is at `vectors`, with the reserved RAM, our stack included, all zero. */
__attribute__((noreturn)) void spb_context_jump(uint32_t vectors);

/* Privileged thread mode: not inside an interrupt handler. */
bool spb_context_thread(void);

/* True for the caller that turned *flag from 0 to 1. */
bool spb_context_claim(volatile uint32_t *flag);

/* Call function(a, b) on the stack that ends at spb_stack_top, with interrupts as they are.  When the caller runs
 * on MSP, the call runs on PSP, so that interrupt handlers stay on the stack the application made for them. */
uint32_t spb_context_call(uint32_t a, uint32_t b, uint32_t (*function)(uint32_t, uint32_t));

#endif
