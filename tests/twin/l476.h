/* l476.h - the registers that the twin's test firmware touches; typed from RM0351, not from the chip facts. */
#include "common.h"
#define RCC_CR REG(0x40021000)
#define RCC_CFGR REG(0x40021008)
#define RCC_PLLCFGR REG(0x4002100c)
#define RCC_AHB1RSTR REG(0x40021028)
#define RCC_AHB1ENR REG(0x40021048)
#define RCC_AHB2ENR REG(0x4002104c)
#define RCC_APB1ENR1 REG(0x40021058)
#define RCC_APB2ENR REG(0x40021060)
#define RCC_CSR REG(0x40021094)
#define PWR_CR1 REG(0x40007000)
#define PWR_SR2 REG(0x40007014)
#define FLASH_ACR REG(0x40022000)
#define FLASH_KEYR REG(0x40022008)
#define FLASH_SR REG(0x40022010)
#define FLASH_CR REG(0x40022014)
#define FLASH_ECCR REG(0x40022018)
#define USART2_CR1 REG(0x40004400)
#define USART2_BRR REG(0x4000440c)
#define USART2_ISR REG(0x4000441c)
#define USART2_ICR REG(0x40004420)
#define USART2_RDR REG(0x40004424)
#define USART2_TDR REG(0x40004428)
#define GPIOA_MODER REG(0x48000000)
#define GPIOA_ODR REG(0x48000014)
#define GPIOA_BSRR REG(0x48000018)
#define GPIOA_AFRL REG(0x48000020)
#define IWDG_KR REG(0x40003000)
#define IWDG_PR REG(0x40003004)
#define IWDG_RLR REG(0x40003008)
#define IWDG_SR REG(0x4000300c)

#define RCC_PORTENR RCC_AHB2ENR
#define RCC_UARTENR RCC_APB1ENR1
#define UART_EN (1u << 17 | 1u << 28)
#define UART 0x40004400
#define UART_AF 7
#define PORTA 0x48000000
#define BKER 11
#define BUSY (1u << 16)
#include "ecc.h"

__attribute__((unused)) static void put(uint8_t byte)
{
    while (!(USART2_ISR & 0x80)) {
    }
    USART2_TDR = byte;
}

__attribute__((unused)) static uint8_t get(void)
{
    while (!(USART2_ISR & 0x20)) {
    }
    return (uint8_t)USART2_RDR;
}

__attribute__((unused)) static void clock_80mhz(void)
{
    FLASH_ACR = (FLASH_ACR & ~7u) | 4;
    RCC_PLLCFGR = 1u | 0u << 4 | 40u << 8 | 1u << 24; /* MSI 4 MHz x 40 / 2 */
    RCC_CR |= 1u << 24;
    while (!(RCC_CR & 1u << 25)) {
    }
    RCC_CFGR |= 3;
    while ((RCC_CFGR & 0xc) != 0xc) {
    }
}
