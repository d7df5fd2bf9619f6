/* SPDX-License-Identifier: MIT */
/* NUCLEO-G0B1RE (UM2324): USART2 at the ST-LINK on PA2 and PA3, LD4 on PA5.  Registers: RM0444 chapters 5, 7. */
#define BOARD_NAME "NUCLEO-G0B1RE"
#define BOARD_CLOCK_HZ 16000000u        /* HSI16, which a reset selects */
#define BOARD_BAUD 115200u
#define BOARD_UART 0x40004400u
#define BOARD_UART_IRQ 28u

#define RCC 0x40021000u
#define GPIOA 0x50000000u

static inline void board_start(void) {
    REG(RCC + 0x34u) |= 1u << 0;                                /* IOPENR: GPIOA */
    REG(RCC + 0x3Cu) |= 1u << 17;                               /* APBENR1: USART2 */
    (void)REG(RCC + 0x3Cu);
    REG(GPIOA + 0x20u) = (REG(GPIOA + 0x20u) & ~0xFF00u) | 0x1100u;     /* AFRL: PA2 and PA3 are AF1 */
    REG(GPIOA + 0x00u) = (REG(GPIOA + 0x00u) & ~0xCF0u) | 0x4A0u;       /* MODER: both alternate, PA5 an output */
}

static inline void board_led(uint32_t on) { REG(GPIOA + 0x18u) = on ? 1u << 5 : 1u << 21; }
