/* SPDX-License-Identifier: MIT */
/* NUCLEO-L476RG (UM1724): USART2 at the ST-LINK on PA2 and PA3, LD2 on PA5.  Registers: RM0351 chapters 6, 8. */
#define BOARD_NAME "NUCLEO-L476RG"
#define BOARD_CLOCK_HZ 16000000u        /* HSI16, which needs no wait state of the flash in range 1 (RM0351 3.3.3) */
#define BOARD_BAUD 115200u
#define BOARD_UART 0x40004400u
#define BOARD_UART_IRQ 38u

#define RCC 0x40021000u
#define GPIOA 0x48000000u

/* USART2_RX to channel 6 of DMA1: request 2, in DMA1_CSELR (RM0351 11.3.2, 11.6.7). */
#define BOARD_DMA_CLOCKS (1u << 0)                              /* RCC_AHB1ENR: DMA1 */
#define BOARD_DMA_CHOICE 0x400200A8u
#define BOARD_DMA_CHOICE_MASK (0xFu << 20)
#define BOARD_DMA_UART_RX (2u << 20)

#define BOARD_PROBE_PORT GPIOA                                  /* PA8, D7 of the Arduino connector: for an oscilloscope */
#define BOARD_PROBE 8u

static inline void board_start(void) {
    REG(RCC + 0x00u) |= 1u << 8;                                /* CR: HSION, */
    while ((REG(RCC + 0x00u) & 1u << 10) == 0) {}               /* HSIRDY */
    REG(RCC + 0x08u) = (REG(RCC + 0x08u) & ~3u) | 1u;           /* CFGR: SW is HSI16, */
    while ((REG(RCC + 0x08u) & 0xCu) != 4u) {}                  /* SWS */
    REG(RCC + 0x4Cu) |= 1u << 0;                                /* AHB2ENR: GPIOA */
    REG(RCC + 0x58u) |= 1u << 17;                               /* APB1ENR1: USART2 */
    (void)REG(RCC + 0x58u);
    REG(GPIOA + 0x20u) = (REG(GPIOA + 0x20u) & ~0xFF00u) | 0x7700u;     /* AFRL: PA2 and PA3 are AF7 */
    REG(GPIOA + 0x00u) = (REG(GPIOA + 0x00u) & ~0xCF0u) | 0x4A0u;       /* MODER: both alternate, PA5 an output */
}

static inline void board_led(uint32_t on) { REG(GPIOA + 0x18u) = on ? 1u << 5 : 1u << 21; }
