/* SPDX-License-Identifier: MIT */
/* outside.c - QUADSPI in its memory-mapped mode: reads by four lines, 6Bh with eight dummy clocks (RM0386 chapter 13). */
#include "outside.h"

#include "board.h"

#define CR REG(0xA0001000u)
#define DCR REG(0xA0001004u)
#define CCR REG(0xA0001014u)
#define CR_EN 1u
#define DCR_16_MB (23u << 8 << 8)       /* FSIZE */
#define DCR_HIGH (5u << 8)              /* NCS is high for six clocks between commands, at 16 MHz more than the 50 ns wanted */
#define READ (0x6Bu | 1u << 8 | 1u << 10 | 2u << 12 | 8u << 18 | 3u << 24)     /* opcode and 24-bit address by one line */
#define MAPPED (3u << 26)

/* PB6 is NCS, PF6 to PF9 are IO3, IO2, IO0 and IO1, PF10 is CLK (UM1932). */
static void pins(void) {
    REG(GPIOB + 0x20u) = (REG(GPIOB + 0x20u) & ~0x0F000000u) | 0x0A000000u;     /* AFRL: PB6 is AF10 */
    REG(GPIOF + 0x20u) = (REG(GPIOF + 0x20u) & ~0xFF000000u) | 0x99000000u;     /* PF6 and PF7 are AF9 */
    REG(GPIOF + 0x24u) = (REG(GPIOF + 0x24u) & ~0x00000FFFu) | 0x000009AAu;     /* AFRH: PF8 and PF9 are AF10, PF10 is AF9 */
    REG(GPIOB + 0x08u) |= 2u << 12;                                             /* OSPEEDR: fast */
    REG(GPIOF + 0x08u) |= 0x2AA000u;
    REG(GPIOB + 0x00u) = (REG(GPIOB + 0x00u) & ~0x3000u) | 0x2000u;             /* MODER: alternate */
    REG(GPIOF + 0x00u) = (REG(GPIOF + 0x00u) & ~0x3FF000u) | 0x2AA000u;
}

void outside_start(void) {
    REG(RCC + 0x38u) |= 1u << 1;        /* AHB3ENR */
    (void)REG(RCC + 0x38u);
    pins();
    DCR = DCR_16_MB | DCR_HIGH;
    CR = CR_EN;
    CCR = READ | MAPPED;
}
