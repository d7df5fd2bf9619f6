/* SPDX-License-Identifier: MIT */
/* core.h - what kernel.c wants of a port to a core, and what that wants of kernel.c. */
#ifndef CORE_H
#define CORE_H

#include <stdint.h>

/* Room for what a task has saved, as if it had been switched out in front of entry; its lowest word. */
uint32_t *core_frame(uint32_t *stack, uint32_t words, void (*entry)(void));

/* Switch for the first time, away from a stack that ends at top and is never needed again; interrupts are off before and
 * on from then. */
__attribute__((noreturn)) void core_start(uint32_t *top);

/* By the handler that switches: the task that ran has saved all it needs, down to sp; that of the task to run. */
uint32_t *kernel_switched(uint32_t *sp);

#endif
