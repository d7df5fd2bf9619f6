/* SPDX-License-Identifier: MIT */
/* DISCO-L4R9I (UM2271): USART2 at the ST-LINK on PA2 and PA3, LD2 on PH4.  Registers: RM0432 chapters 6, 8. */
#define BOARD_NAME "DISCO-L4R9I"
#define BOARD_CLOCK_HZ 16000000u        /* HSI16, which needs no wait state of the flash in range 1 (RM0432 3.3.3) */
#define BOARD_BAUD 115200u
#define BOARD_UART 0x40004400u
#define BOARD_UART_IRQ 38u

#define RCC 0x40021000u
#define GPIOA 0x48000000u
#define GPIOH 0x48001C00u

/* USART2_RX to channel 6 of DMA1: input 26 of DMAMUX1, in DMAMUX1_C5CR (RM0432 12.3.2, 12.6.1). */
#define BOARD_DMA_CLOCKS (1u << 2 | 1u << 0)                    /* RCC_AHB1ENR: DMAMUX1, DMA1 */
#define BOARD_DMA_CHOICE 0x40020814u
#define BOARD_DMA_CHOICE_MASK 0x7Fu
#define BOARD_DMA_UART_RX 26u

#define BOARD_PROBE_PORT GPIOA                                  /* PA4, D7 of the Arduino connector: for an oscilloscope */
#define BOARD_PROBE 4u

static inline void board_led(uint32_t on) { REG(GPIOH + 0x18u) = on ? 1u << 20 : 1u << 4; }

static inline void board_start(void) {
    REG(RCC + 0x00u) |= 1u << 8;                                /* CR: HSION, */
    while ((REG(RCC + 0x00u) & 1u << 10) == 0) {}               /* HSIRDY */
    REG(RCC + 0x08u) = (REG(RCC + 0x08u) & ~3u) | 1u;           /* CFGR: SW is HSI16, */
    while ((REG(RCC + 0x08u) & 0xCu) != 4u) {}                  /* SWS */
    REG(RCC + 0x4Cu) |= 1u << 7 | 1u << 0;                      /* AHB2ENR: GPIOH, GPIOA */
    REG(RCC + 0x58u) |= 1u << 17;                               /* APB1ENR1: USART2 */
    (void)REG(RCC + 0x58u);
    REG(GPIOA + 0x20u) = (REG(GPIOA + 0x20u) & ~0xFF00u) | 0x7700u;     /* AFRL: PA2 and PA3 are AF7 */
    REG(GPIOA + 0x00u) = (REG(GPIOA + 0x00u) & ~0xF0u) | 0xA0u;         /* MODER: both alternate */
    board_led(0);
    REG(GPIOH + 0x00u) = (REG(GPIOH + 0x00u) & ~0x300u) | 0x100u;       /* PH4 an output, dark */
}
