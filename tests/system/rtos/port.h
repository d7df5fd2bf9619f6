/* SPDX-License-Identifier: MIT */
/* port.h - the chip below the kernel: TIM6 as time base, Stop when nobody has work, the console by interrupts. */
#ifndef PORT_H
#define PORT_H

#include <stdint.h>

struct task;

/* Clocks, console, timers; the task is told of every byte that comes. */
void port_start(struct task *listener);

/* How often the chip was in Stop, and for how many milliseconds. */
struct port_rest {
    uint32_t stops, ms;
};
struct port_rest port_rest(void);

/* Handler of PendSV (switch.c). */
void switch_tasks(void);

/* The last byte that was put has left. */
void port_flush(void);

#endif
