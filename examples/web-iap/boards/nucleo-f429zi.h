/* SPDX-License-Identifier: MIT */
/* NUCLEO-F429ZI (UM1974): USART3 at the ST-LINK on PD8 and PD9, LD1 on PB0, a LAN8742A with address 0 at RMII.  Registers:
 * RM0090 chapters 3, 6, 8.  The MAC needs 25 MHz; 168 MHz come from HSI by the PLL, so that no crystal is needed. */
#define BOARD_NAME "NUCLEO-F429ZI"
#define BOARD_CLOCK_HZ 168000000u
#define BOARD_BAUD 115200u
#define BOARD_UART 0x40004800u
#define BOARD_UART_IRQ 39u
#define BOARD_UART_VERSION 2
#define BOARD_UART_HZ 42000000u         /* of APB1, with USART3 */
#define BOARD_PHY 0u

#define RCC 0x40023800u
#define GPIOA 0x40020000u
#define GPIOB 0x40020400u
#define GPIOC 0x40020800u
#define GPIOD 0x40020C00u
#define GPIOG 0x40021800u
#define FLASH_ACR REG(0x40023C00u)

/* Pins of RMII, all of them AF11: port and number. */
#define BOARD_RMII {{GPIOA, 1}, {GPIOA, 2}, {GPIOA, 7}, {GPIOB, 13}, {GPIOC, 1}, {GPIOC, 4}, {GPIOC, 5}, {GPIOG, 11}, {GPIOG, 13}}

/* 16 MHz / 8 * 168 / 2.  Five wait states and the caches of the flash first (RM0090 3.5.1). */
static inline void board_clock(void) {
    FLASH_ACR = 0x705u;
    while ((FLASH_ACR & 0xFu) != 5u) {}
    REG(RCC + 0x04u) = 8u | 168u << 6 | 7u << 24;               /* PLLCFGR */
    REG(RCC + 0x00u) |= 1u << 24;                               /* CR: PLLON */
    while ((REG(RCC + 0x00u) & 1u << 25) == 0) {}
    REG(RCC + 0x08u) = 5u << 10 | 4u << 13;                     /* CFGR: APB1 by 4, APB2 by 2, */
    REG(RCC + 0x08u) |= 2u;                                     /* then SW is the PLL */
    while ((REG(RCC + 0x08u) & 0xCu) != 8u) {}
}

static inline void board_start(void) {
    board_clock();
    REG(RCC + 0x30u) |= 1u << 0 | 1u << 1 | 1u << 2 | 1u << 3 | 1u << 6;        /* AHB1ENR: GPIOA to D, G */
    REG(RCC + 0x40u) |= 1u << 18;                               /* APB1ENR: USART3 */
    REG(RCC + 0x44u) |= 1u << 14;                               /* APB2ENR: SYSCFG */
    (void)REG(RCC + 0x44u);
    REG(GPIOD + 0x24u) = (REG(GPIOD + 0x24u) & ~0xFFu) | 0x77u;                 /* AFRH: PD8 and PD9 are AF7 */
    REG(GPIOD + 0x00u) = (REG(GPIOD + 0x00u) & ~0xF0000u) | 0xA0000u;           /* MODER: both alternate */
    REG(GPIOB + 0x00u) = (REG(GPIOB + 0x00u) & ~3u) | 1u;                       /* PB0 an output */
}

static inline void board_led(uint32_t on) { REG(GPIOB + 0x18u) = on ? 1u : 1u << 16; }
