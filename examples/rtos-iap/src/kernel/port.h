/* SPDX-License-Identifier: MIT */
/* port.h - what kernel.c wants of a core, and what a port wants of kernel.c. */
#ifndef PORT_H
#define PORT_H

#include <stdint.h>

/* Room for what a task has saved, as if it had been switched out in front of entry; its lowest word. */
uint32_t *port_frame(uint32_t *stack, uint32_t words, void (*entry)(void));

/* Switch for the first time, away from a stack that ends at top and is never needed again; interrupts are off before and
 * on from then. */
__attribute__((noreturn)) void port_start(uint32_t *top);

/* By the handler that switches: the task that ran has saved all it needs, down to sp; that of the task to run. */
uint32_t *kernel_switched(uint32_t *sp);

#endif
