/* SPDX-License-Identifier: MIT */
/* DISCO-F469I (UM1932): USART3 at the ST-LINK on PB10 and PB11, LD1 on PG6, lit by a low level.  Registers: RM0386
 * chapters 6, 8. */
#define BOARD_NAME "DISCO-F469I-EXT"
#define BOARD_CLOCK_HZ 16000000u        /* HSI, which a reset selects */
#define BOARD_BAUD 115200u
#define BOARD_UART 0x40004800u
#define BOARD_UART_IRQ 39u
#define BOARD_UART_VERSION 2

#define RCC 0x40023800u
#define GPIOB 0x40020400u
#define GPIOF 0x40021400u
#define GPIOG 0x40021800u

static inline void board_start(void) {
    REG(RCC + 0x30u) |= 1u << 1 | 1u << 5 | 1u << 6;            /* AHB1ENR: GPIOB, GPIOF, GPIOG */
    REG(RCC + 0x40u) |= 1u << 18;                               /* APB1ENR: USART3 */
    (void)REG(RCC + 0x40u);
    REG(GPIOB + 0x24u) = (REG(GPIOB + 0x24u) & ~0xFF00u) | 0x7700u;             /* AFRH: PB10 and PB11 are AF7 */
    REG(GPIOB + 0x00u) = (REG(GPIOB + 0x00u) & ~0xF00000u) | 0xA00000u;         /* MODER: both alternate */
    REG(GPIOG + 0x00u) = (REG(GPIOG + 0x00u) & ~0x3000u) | 0x1000u;             /* PG6 an output */
}

static inline void board_led(uint32_t on) { REG(GPIOG + 0x18u) = on ? 1u << 22 : 1u << 6; }
