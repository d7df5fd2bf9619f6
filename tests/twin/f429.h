/* f429.h - the registers that the twin's test firmware touches; typed from RM0090, not from the chip facts. */
#include "common.h"
#define RCC_CR REG(0x40023800)
#define RCC_PLLCFGR REG(0x40023804)
#define RCC_CFGR REG(0x40023808)
#define RCC_AHB1ENR REG(0x40023830)
#define RCC_APB1ENR REG(0x40023840)
#define RCC_APB1RSTR REG(0x40023820)
#define RCC_CSR REG(0x40023874)
#define PWR_CR REG(0x40007000)
#define PWR_CSR REG(0x40007004)
#define FLASH_ACR REG(0x40023c00)
#define FLASH_KEYR REG(0x40023c04)
#define FLASH_SR REG(0x40023c0c)
#define FLASH_CR REG(0x40023c10)
#define FLASH_OPTCR REG(0x40023c14)
#define USART3_SR REG(0x40004800)
#define USART3_DR REG(0x40004804)
#define USART3_BRR REG(0x40004808)
#define USART3_CR1 REG(0x4000480c)
#define GPIOA_MODER REG(0x40020000)
#define GPIOD_MODER REG(0x40020c00)
#define GPIOD_AFRH REG(0x40020c24)
#define X8 0u
#define X16 (1u << 8)
#define X32 (2u << 8)

__attribute__((unused)) static void console(uint32_t divider)
{
    RCC_AHB1ENR |= 8;
    RCC_APB1ENR |= 1u << 18;
    (void)RCC_APB1ENR;
    GPIOD_MODER = 0xa0000;
    GPIOD_AFRH = 0x77;
    USART3_BRR = divider;
    USART3_CR1 = 0x200c;
}

__attribute__((unused)) static void clock_168mhz(void)
{
    FLASH_ACR = 5;
    RCC_PLLCFGR = 8 | 168 << 6 | 7 << 24; /* HSI 16 MHz / 8 x 168 / 2 */
    RCC_CR |= 1u << 24;
    while (!(RCC_CR & 1u << 25)) {
    }
    RCC_CFGR = 5 << 10 | 4 << 13;
    RCC_CFGR |= 2;
    while ((RCC_CFGR & 0xc) != 8) {
    }
}

__attribute__((unused)) static void unlock(void)
{
    FLASH_KEYR = 0x45670123;
    FLASH_KEYR = 0xcdef89ab;
}

__attribute__((unused)) static void program(uint32_t address, uint32_t word)
{
    FLASH_CR = 1 | X32;
    REG(address) = word;
    while (FLASH_SR & 0x10000) {
    }
    FLASH_CR = 0;
}

__attribute__((unused)) static void erase(uint32_t snb)
{
    FLASH_CR = 2 | snb << 3 | X32;
    FLASH_CR = 2 | snb << 3 | X32 | 1u << 16;
    while (FLASH_SR & 0x10000) {
    }
    FLASH_CR = 0;
}
