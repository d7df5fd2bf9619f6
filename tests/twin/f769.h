/* f769.h - the registers that the twin's test firmware touches; typed from RM0410 and PM0253, not from the chip facts. */
#include "common.h"
#define RCC_CR REG(0x40023800)
#define RCC_PLLCFGR REG(0x40023804)
#define RCC_CFGR REG(0x40023808)
#define RCC_AHB1ENR REG(0x40023830)
#define RCC_APB1ENR REG(0x40023840)
#define RCC_APB2ENR REG(0x40023844)
#define RCC_DCKCFGR2 REG(0x40023890)
#define PWR_CR1 REG(0x40007000)
#define PWR_CSR1 REG(0x40007004)
#define FLASH_ACR REG(0x40023c00)
#define FLASH_KEYR REG(0x40023c04)
#define FLASH_SR REG(0x40023c0c)
#define FLASH_CR REG(0x40023c10)
#define FLASH_OPTCR REG(0x40023c14)
#define USART1_CR1 REG(0x40011000)
#define USART1_BRR REG(0x4001100c)
#define USART1_ISR REG(0x4001101c)
#define USART1_TDR REG(0x40011028)
#define GPIOA_MODER REG(0x40020000)
#define GPIOA_AFRH REG(0x40020024)
#define SCB_CCR REG(0xe000ed14)
#define SCB_CCSIDR REG(0xe000ed80)
#define SCB_ICIALLU REG(0xe000ef50)
#define SCB_DCIMVAC REG(0xe000ef5c)
#define SCB_DCISW REG(0xe000ef60)
#define SCB_DCCISW REG(0xe000ef74)
#define X8 0u
#define X16 (1u << 8)
#define X32 (2u << 8)

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

/* Each of four ways of 128 sets of 32 bytes. */
__attribute__((unused)) static void each_line(uint32_t operation)
{
    for (uint32_t way = 0; way < 4; way++)
        for (uint32_t set = 0; set < 128; set++)
            REG(operation) = way << 30 | set << 5;
}

__attribute__((unused)) static void data_cache_on(void)
{
    each_line(0xe000ef60);
    SCB_CCR |= 1u << 16;
}
