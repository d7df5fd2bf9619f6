/* SPDX-License-Identifier: MIT */
/* port.c - TIM6 interrupts each millisecond.  When the kernel has nothing to do for a while, TIM6 rests and LPTIM1, which
 * counts LSI all the time, says when to wake and how long it was; PLL and clocks are started again afterwards.
 * The console hears nothing in Stop.  So the chip stays out of it for LISTEN_MS after each byte that came or left: a
 * YMODEM receiver calls, and a sender answers at once or not at all.
 * Manuals: basic timers RM0351 32, LPTIM RM0351 34, Stop RM0351 5.3.6; board.h has what differs. */
#include "port.h"

#include "bare.h"
#include "board.h"
#include "clock.h"
#include "gpio.h"
#include "kernel.h"
#include "line.h"
#include "reg.h"
#include "spb_chip.h"
#include "usart.h"

#define LISTEN_MS 50u
#define LSI_HZ 32000u
#define WAKE_US 400u                    /* from Stop to the full clock, and to spare */
#define WORTH_MS 2u                     /* shorter rests are not taken in Stop */

#define SCR 0xE000ED10u
#define SLEEPDEEP 4u
#define NVIC_ISER 0xE000E100u

#define TIM6_CR1 (TIM6_BASE + 0x00u)
#define TIM6_DIER (TIM6_BASE + 0x0Cu)
#define TIM6_SR (TIM6_BASE + 0x10u)
#define TIM6_EGR (TIM6_BASE + 0x14u)
#define TIM6_CNT (TIM6_BASE + 0x24u)
#define TIM6_PSC (TIM6_BASE + 0x28u)
#define TIM6_ARR (TIM6_BASE + 0x2Cu)

#define LPTIM_ISR (LPTIM1_BASE + 0x00u)
#define LPTIM_ICR (LPTIM1_BASE + 0x04u)
#define LPTIM_IER (LPTIM1_BASE + 0x08u)
#define LPTIM_CR (LPTIM1_BASE + 0x10u)
#define LPTIM_CMP (LPTIM1_BASE + 0x14u)
#define LPTIM_ARR (LPTIM1_BASE + 0x18u)
#define LPTIM_CNT (LPTIM1_BASE + 0x1Cu)
#define CMPM 1u
#define CMPOK 8u

#define CONSOLE_CR1 (SPB_CONSOLE_BASE + 0x00u)
#define CONSOLE_ISR (SPB_CONSOLE_BASE + 0x1Cu)
#define RXNEIE (1u << 5)
#define TC (1u << 6)

static struct task *told;
static uint8_t ring[2048];
static volatile uint32_t came, taken;
static volatile uint32_t listen_until;
static struct port_rest rest;

static void listen(void) { listen_until = kernel_now() + LISTEN_MS; }

static void console_byte(void) {
    if (!spb_usart_readable()) return;
    ring[came % sizeof ring] = spb_usart_read();
    came++;
    listen();
    kernel_tell(told);
}

/* For all: parts share interrupts in different ways. */
static void interrupt(void) {
    if (reg_read(TIM6_SR) & 1u) {
        reg_write(TIM6_SR, 0);
        kernel_tick(1);
    }
    if (reg_read(LPTIM_ISR) & CMPM) reg_write(LPTIM_ICR, CMPM);
    console_byte();
}

/* RM0351 34.4.13: asynchronous to the bus, so it is right when two looks agree. */
static uint32_t count(void) {
    uint32_t one, two = reg_read(LPTIM_CNT);
    do {
        one = two;
        two = reg_read(LPTIM_CNT);
    } while (one != two);
    return two;
}

static void wake_at(uint32_t lsi) {
    reg_write(LPTIM_ICR, CMPOK);
    reg_write(LPTIM_CMP, lsi & 0xFFFFu);
    reg_wait(LPTIM_ISR, CMPOK, CMPOK);
    reg_write(LPTIM_ICR, CMPM);
}

/* Into Stop for at most so many milliseconds.  TIM6 counts microseconds of the one under way. */
static void stop(uint32_t ms) {
    reg_clear(TIM6_CR1, 1);
    uint32_t begun_us = reg_read(TIM6_CNT), begun = count();
    wake_at(begun + (ms * 1000u - begun_us - WAKE_US) * (LSI_HZ / 1000u) / 1000u);
    reg_write(SCR, SLEEPDEEP);
    __asm volatile("dsb\n wfi\n isb" ::: "memory");
    reg_write(SCR, 0);
    spb_clock_start();
    uint32_t slept = (count() - begun) & 0xFFFFu;
    uint32_t us = begun_us + slept * 1000u / (LSI_HZ / 1000u);
    reg_write(TIM6_CNT, us % 1000u);
    reg_set(TIM6_CR1, 1);
    rest.stops++;
    rest.ms += us / 1000u;
    kernel_tick(us / 1000u);
}

void kernel_idle(uint32_t ticks) {
    bool due = (reg_read(TIM6_SR) & 1u) != 0;
    bool heard = (int32_t)(listen_until - kernel_now()) > 0 || !(reg_read(CONSOLE_ISR) & TC) || spb_usart_readable();
    if (ticks > 1000) ticks = 1000;     /* LPTIM1 counts two seconds */
    if (!due && !heard && ticks >= WORTH_MS) stop(ticks);
    else __asm volatile("dsb\n wfi" ::: "memory");
}

struct port_rest port_rest(void) { return rest; }

static void allow(uint32_t irq) { reg_write(NVIC_ISER + irq / 32u * 4u, 1u << irq % 32u); }

void port_start(struct task *listener) {
    told = listener;
    spb_clock_start();
    spb_gpio_console();
    spb_usart_start(spb_clock_console_hz());
    BOARD_TIMER_CLOCKS();
    reg_write(TIM6_PSC, SPB_CLOCK_HZ / 1000000u - 1);
    reg_write(TIM6_ARR, 999);
    reg_write(TIM6_EGR, 1);             /* loads the prescaler, and sets the flag */
    reg_write(TIM6_SR, 0);
    reg_write(TIM6_DIER, 1);
    reg_write(TIM6_CR1, 1);
    reg_write(LPTIM_IER, CMPM);
    reg_write(LPTIM_CR, 1);
    reg_write(LPTIM_ARR, 0xFFFF);
    reg_write(LPTIM_CR, 5);
    reg_set(CONSOLE_CR1, RXNEIE);
    listen();
    allow(TIM6_IRQ);
    allow(LPTIM1_IRQ);
    allow(CONSOLE_IRQ);
}

void port_flush(void) { reg_wait(CONSOLE_ISR, TC, TC); }

/* The line of console and YMODEM (line.h), in one task. */

void spb_line_put(uint8_t byte) {
    while (!spb_usart_writable()) {}
    spb_usart_write(byte);
    listen();
}

int spb_line_get(uint32_t timeout_ms) {
    uint32_t start = kernel_now();
    while (came == taken) {
        uint32_t passed = kernel_now() - start;
        if (passed >= timeout_ms) return SPB_LINE_NOTHING;
        (void)kernel_wait(timeout_ms - passed);
    }
    return ring[taken++ % sizeof ring];
}

uint32_t spb_line_ms(void) { return kernel_now(); }

/* Start-up */

void rtos_main(void);

__attribute__((noreturn, used)) void reset(void) {
    bare_memory();
    rtos_main();
    for (;;) {}
}

#define EIGHT interrupt, interrupt, interrupt, interrupt, interrupt, interrupt, interrupt, interrupt

VECTORS(72) = {
    .stack = stack_top,
    .handler = {reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, switch_tasks, fault,
                EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT},
};
