/* SPDX-License-Identifier: MIT */
/* rest.c - kernel_idle by Stop 0.  SysTick stands still there; LPTIM1, which counts the crystal all the time, says when to
 * wake and how long it was.  Both looks at it are at an edge of the crystal's clock, so that a rest is a whole number of its
 * periods and no error adds up.  The core goes on from HSI16, as before: no clock has to be started again.
 * HSI16 stays on for the UART in Stop: that its first bit is sampled in time at 115,200 baud does not depend on how long
 * the oscillator takes to start (RM0351 6.4.1, 40.5.18; AN4991).
 * Interrupts are off for 0.15 ms at most in front of a rest and 0.04 ms behind it.  Should the crystal stop, the watchdog ends
 * the wait for its edge.
 * Manuals: Stop 0 RM0351 5.3.6, LPTIM 34, SysTick PM0214 4.5. */
#include "rest.h"

#include <stdbool.h>

#include "board.h"
#include "kernel.h"
#include "quiet.h"

#define WORTH_MS 2u                     /* shorter rests are not taken in Stop */
#define LONGEST_MS 1000u                /* LPTIM1 counts two seconds */

/* A period of the crystal is 16 MHz / 32,768 Hz = 15,625 / 32 cycles. */
#define CYCLES(periods) ((periods) * 15625u / 32u)
#define PERIODS(cycles) ((cycles) * 32u / 15625u)
#define TICK_CYCLES (BOARD_CLOCK_HZ / 1000u)
_Static_assert(BOARD_CLOCK_HZ == 16000000u, "CYCLES and PERIODS are for 16 MHz");

#define RCC_CR REG(RCC + 0x00u)
#define RCC_CFGR REG(RCC + 0x08u)
#define RCC_APB1ENR1 REG(RCC + 0x58u)
#define RCC_CCIPR REG(RCC + 0x88u)
#define RCC_BDCR REG(RCC + 0x90u)
#define BDCR_LSEON 1u
#define BDCR_LSERDY 2u
#define PWR_CR1 REG(0x40007000u)
#define CR1_DBP (1u << 8)

#define LPTIM1 0x40007C00u
#define LPTIM1_IRQ 65u
#define LPTIM_ISR REG(LPTIM1 + 0x00u)
#define LPTIM_ICR REG(LPTIM1 + 0x04u)
#define LPTIM_IER REG(LPTIM1 + 0x08u)
#define LPTIM_CR REG(LPTIM1 + 0x10u)
#define LPTIM_CMP REG(LPTIM1 + 0x14u)
#define LPTIM_ARR REG(LPTIM1 + 0x18u)
#define LPTIM_CNT REG(LPTIM1 + 0x1Cu)
#define CMPM 1u
#define CMPOK 8u

#define SYST_CSR REG(0xE000E010u)
#define SYST_RVR REG(0xE000E014u)
#define SYST_CVR REG(0xE000E018u)
#define SYST_HELD 4u
#define SYST_COUNTS 5u                  /* without its interrupt */
#define SYST_RUNS 7u
#define RESTART_CYCLES 21u
/* In which SysTick stands still around a rest, counted on the twin.  Ten more or less are an error of 0.1 ms a second, with
 * a rest every 5 ms; HSI16 itself may have 10 ms (1 %). */
#define ICSR REG(0xE000ED04u)
#define ICSR_PENDSTSET (1u << 26)
#define SCR REG(0xE000ED10u)
#define SLEEPDEEP 4u
#define NVIC_ISER(irq) REG(0xE000E100u + 4u * ((irq) / 32u))

void LPTIM1_IRQHandler(void);

const uint32_t kernel_clock_hz = BOARD_CLOCK_HZ;

static struct rest so_far;
static uint32_t cycles_so_far;          /* beside the milliseconds */

void LPTIM1_IRQHandler(void) { LPTIM_ICR = CMPM; }

void rest_start(void) {
    RCC_CR |= 1u << 9;                                  /* HSIKERON */
    RCC_CFGR |= 1u << 15;                               /* STOPWUCK: HSI16 behind Stop */
    RCC_CCIPR |= 3u << 18;                              /* LPTIM1SEL is LSE */
    RCC_APB1ENR1 |= 1u << 31 | 1u << 28;                /* LPTIM1, PWR */
    (void)RCC_APB1ENR1;
    PWR_CR1 |= CR1_DBP;                                 /* LPMS is 0, Stop 0, after a reset */
    while ((PWR_CR1 & CR1_DBP) == 0) {}
    RCC_BDCR |= BDCR_LSEON;
    NVIC_ISER(LPTIM1_IRQ) = 1u << LPTIM1_IRQ % 32u;
}

/* The crystal takes up to two seconds to start, once: it runs on over a reset. */
static bool counting(void) {
    if (LPTIM_CR & 1u) return true;
    if ((RCC_BDCR & BDCR_LSERDY) == 0) return false;
    LPTIM_IER = CMPM;                                   /* before it is enabled */
    LPTIM_CR = 1u;
    LPTIM_ARR = 0xFFFFu;
    LPTIM_CR = 5u;                                      /* CNTSTRT */
    return true;
}

/* Asynchronous to the bus, so it is right when two looks agree (RM0351 34.4.13). */
static uint32_t count(void) {
    uint32_t one, two = LPTIM_CNT;
    do {
        one = two;
        two = LPTIM_CNT;
    } while (one != two);
    return two;
}

static uint32_t edge(void) {
    uint32_t was = count(), is;
    do is = count();
    while (is == was);
    return is;
}

/* Cycles of the tick under way. */
static uint32_t in_tick(void) { return TICK_CYCLES - 1u - SYST_CVR; }

static void wake_in(uint32_t periods) {
    LPTIM_ICR = CMPOK;
    LPTIM_CMP = (count() + periods) & 0xFFFFu;
    while ((LPTIM_ISR & CMPOK) == 0) {}
}

/* Go on with the tick under way, of which some cycles had passed when SysTick was started. */
static void tick_on(uint32_t cycles) {
    uint32_t passed = cycles + in_tick() + RESTART_CYCLES;
    SYST_RVR = passed + 2u < TICK_CYCLES ? TICK_CYCLES - passed - 1u : 1u;
    SYST_CVR = 0;
    SYST_CSR = SYST_RUNS;
    SYST_RVR = TICK_CYCLES - 1u;                        /* from the tick behind this one on */
}

/* Two periods less than there are: one for the edge at the end, one for what is left of that at the beginning. */
static void stop(uint32_t ms) {
    wake_in(PERIODS(ms * TICK_CYCLES - in_tick()) - 2u);
    uint32_t begun = edge();
    SYST_CSR = SYST_HELD;
    if (ICSR & ICSR_PENDSTSET) {
        SYST_CSR = SYST_RUNS;
        return;
    }
    uint32_t cycles = in_tick();
    SCR = SLEEPDEEP;
    __asm volatile("dsb\n wfi\n isb" ::: "memory");
    SCR = 0;
    uint32_t ended = edge();
    SYST_CVR = 0;
    SYST_CSR = SYST_COUNTS;
    uint32_t slept = CYCLES((ended - begun) & 0xFFFFu);
    cycles += slept;
    cycles_so_far += slept;
    so_far.stops++;
    so_far.ms += cycles_so_far / TICK_CYCLES;
    cycles_so_far %= TICK_CYCLES;
    kernel_tick(cycles / TICK_CYCLES);
    tick_on(cycles % TICK_CYCLES);
}

void kernel_idle(uint32_t ticks) {
    bool due = (ICSR & ICSR_PENDSTSET) != 0;
    if (ticks > LONGEST_MS) ticks = LONGEST_MS;
    if (!due && ticks >= WORTH_MS && counting() && quiet()) {
        stop(ticks);
        quiet_end();
    } else {
        __asm volatile("dsb\n wfi" ::: "memory");
    }
}

struct rest rest_so_far(void) { return so_far; }

/* A tick that is due and was not counted is one. */
uint32_t rest_us(void) {
    uint32_t was = kernel_lock();
    uint32_t cycles = in_tick(), ms = kernel_now();
    if (ICSR & ICSR_PENDSTSET) {
        cycles = in_tick();
        ms++;
    }
    kernel_unlock(was);
    return ms * 1000u + cycles / (BOARD_CLOCK_HZ / 1000000u);
}
