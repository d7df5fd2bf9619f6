/* SPDX-License-Identifier: MIT */
/* console.c - the template's console.h for tasks: a USART that DMA empties into a ring (RM0351 chapters 11, 40; in RM0432
 * the same, but for the multiplexer that chooses the request).
 * The task that reads is told when the line falls idle, and at each half of the ring: twice for a block of YMODEM, and
 * not 1,029 times.  One task reads and one writes; here they are the same. */
#include "console.h"

#include <stdbool.h>

#include "board.h"
#include "kernel.h"
#include "quiet.h"
#include "tasks.h"

#define RING 2048u      /* YMODEM sends one block of 1,029 bytes and waits for its answer */

#define CR1 REG(BOARD_UART + 0x00u)
#define CR3 REG(BOARD_UART + 0x08u)
#define BRR REG(BOARD_UART + 0x0Cu)
#define ISR REG(BOARD_UART + 0x1Cu)
#define ICR REG(BOARD_UART + 0x20u)
#define RDR_ADDRESS (BOARD_UART + 0x24u)
#define TDR REG(BOARD_UART + 0x28u)
#define CR1_UE (1u << 0)
#define CR1_UESM (1u << 1)
#define CR1_RE (1u << 2)
#define CR1_TE (1u << 3)
#define CR1_IDLEIE (1u << 4)
#define CR3_EIE (1u << 0)
#define CR3_DMAR (1u << 6)
#define CR3_WUS_START (2u << 20)
#define CR3_WUFIE (1u << 22)
#define ISR_ERRORS 0xFu         /* parity, framing, noise, overrun: the same bits clear them in ICR */
#define ISR_IDLE (1u << 4)
#define ISR_RXNE (1u << 5)
#define ISR_TC (1u << 6)
#define ISR_TXE (1u << 7)
#define ISR_BUSY (1u << 16)
#define ISR_WUF (1u << 20)

/* Channel 6 of DMA1, which the board's header says how to give the receiver. */
#define RCC_AHB1ENR REG(RCC + 0x48u)
#define RCC_CCIPR REG(RCC + 0x88u)
#define DMA1 0x40020000u
#define DMA1_IRQ 16u
#define DMA_IFCR REG(DMA1 + 0x04u)
#define DMA_CCR REG(DMA1 + 0x6Cu)
#define DMA_CNDTR REG(DMA1 + 0x70u)
#define DMA_CPAR REG(DMA1 + 0x74u)
#define DMA_CMAR REG(DMA1 + 0x78u)
#define DMA_CHOICE REG(BOARD_DMA_CHOICE)
#define DMA_FLAGS (0xFu << 20)
#define DMA_RING 0xA7u          /* EN, TCIE, HTIE, CIRC, MINC: bytes from the peripheral to memory */
#define NVIC_ISER(irq) REG(0xE000E100u + 4u * ((irq) / 32u))

void DMA1_Channel6_IRQHandler(void);

static uint8_t ring[RING];
static uint32_t got;                    /* place in the ring of the next byte to be read */
static volatile uint32_t told;          /* place up to which the reader was told */
static volatile bool expected;          /* a start bit ended Stop: a byte is on its way, and the idle line behind it */

static uint32_t come(void) { return (RING - DMA_CNDTR) % RING; }

static void tell(void) {
    told = come();
    kernel_tell(&update_task);
}

void DMA1_Channel6_IRQHandler(void) {
    DMA_IFCR = DMA_FLAGS;
    tell();
}

void console_interrupt(void) {
    uint32_t isr = ISR;
    ICR = isr & (ISR_ERRORS | ISR_IDLE | ISR_WUF);
    if (isr & (ISR_ERRORS | ISR_IDLE)) expected = false;
    if (isr & ISR_IDLE) tell();
}

void console_start(void) {
    RCC_CCIPR = (RCC_CCIPR & ~0xCu) | 0x8u;             /* USART2SEL is HSI16, which can receive in Stop */
    RCC_AHB1ENR |= BOARD_DMA_CLOCKS;
    (void)RCC_AHB1ENR;
    DMA_CHOICE = (DMA_CHOICE & ~BOARD_DMA_CHOICE_MASK) | BOARD_DMA_UART_RX;
    DMA_CPAR = RDR_ADDRESS;
    DMA_CMAR = (uint32_t)ring;
    DMA_CNDTR = RING;
    DMA_CCR = DMA_RING;
    BRR = (BOARD_CLOCK_HZ + BOARD_BAUD / 2u) / BOARD_BAUD;
    CR3 = CR3_DMAR | CR3_EIE | CR3_WUS_START;           /* WUS can be chosen while UE is clear only */
    CR1 = CR1_UE | CR1_RE | CR1_TE | CR1_IDLEIE;
    NVIC_ISER(DMA1_IRQ) = 1u << DMA1_IRQ % 32u;
    NVIC_ISER(BOARD_UART_IRQ) = 1u << BOARD_UART_IRQ % 32u;
}

/* Where what came has lapped the reader, it reads other bytes than came, which the CRC of a block finds. */
int console_get(uint32_t timeout_ms) {
    uint32_t start = kernel_now();
    while (got == come()) {
        uint32_t passed = kernel_now() - start;
        if (passed >= timeout_ms) return CONSOLE_NOTHING;
        (void)kernel_wait(timeout_ms != KERNEL_FOREVER ? timeout_ms - passed : KERNEL_FOREVER);
    }
    int byte = ring[got];
    got = (got + 1u) % RING;
    return byte;
}

void console_put(uint8_t byte) {
    while ((ISR & ISR_TXE) == 0) {}
    TDR = byte;
}

void console_flush(void) {
    while ((ISR & ISR_TC) == 0) {}
}

uint32_t console_ms(void) { return kernel_now(); }

/* Stop (quiet.h).  A start bit sets WUF outside of Stop as well, so it and its interrupt are wanted around Stop only, as is
 * UESM; DMA has to let go meanwhile.  BUSY may come too late to be seen here: then the byte waits in RDR for the end of Stop,
 * which is 5 ms away at most, or one byte more (RM0351 40.5.18). */

bool quiet(void) {
    CR1 |= CR1_UESM;
    ICR = ISR_WUF;
    CR3 = (CR3 & ~CR3_DMAR) | CR3_WUFIE;
    if ((ISR & (ISR_TC | ISR_BUSY | ISR_RXNE)) == ISR_TC && come() == told && !expected) return true;
    quiet_end();
    return false;
}

void quiet_end(void) {
    if (ISR & ISR_WUF) expected = true;
    CR3 = (CR3 & ~CR3_WUFIE) | CR3_DMAR;
    CR1 &= ~CR1_UESM;
}
