/* h745.h - the registers that the twin's test firmware touches; typed from RM0399, not from the chip facts. */
#include "common.h"
#define RCC_CR REG(0x58024400)
#define RCC_CFGR REG(0x58024410)
#define RCC_D1CFGR REG(0x58024418)
#define RCC_D2CFGR REG(0x5802441c)
#define RCC_D3CFGR REG(0x58024420)
#define RCC_PLLCKSELR REG(0x58024428)
#define RCC_PLLCFGR REG(0x5802442c)
#define RCC_PLL1DIVR REG(0x58024430)
#define RCC_RSR REG(0x580244d0)
#define RCC_AHB4ENR REG(0x580244e0)
#define RCC_APB1LENR REG(0x580244e8)
#define PWR_CSR1 REG(0x58024804)
#define PWR_CR3 REG(0x5802480c)
#define PWR_D3CR REG(0x58024818)
#define FLASH_ACR REG(0x52002000)
#define FLASH_KEYR1 REG(0x52002004)
#define FLASH_CR1 REG(0x5200200c)
#define FLASH_SR1 REG(0x52002010)
#define FLASH_CCR1 REG(0x52002014)
#define FLASH_OPTCR REG(0x52002018)
#define FLASH_OPTSR_CUR REG(0x5200201c)
#define FLASH_KEYR2 REG(0x52002104)
#define FLASH_CR2 REG(0x5200210c)
#define FLASH_SR2 REG(0x52002110)
#define FLASH_CCR2 REG(0x52002114)
#define FLASH_ECC_FA2 REG(0x52002160)
#define USART3_CR1 REG(0x40004800)
#define USART3_BRR REG(0x4000480c)
#define USART3_ISR REG(0x4000481c)
#define USART3_TDR REG(0x40004828)
#define GPIOA_MODER REG(0x58020000)
#define GPIOB_MODER REG(0x58020400)
#define GPIOB_AFRH REG(0x58020424)
#define SCB_CCR REG(0xe000ed14)
#define X64 0x30u

/* The supply is chosen before RAM is written: 7.4.1. */
__attribute__((naked)) void first(void)
{
    __asm volatile("ldr r0, =0x5802480c\nmovs r1, #2\nstr r1, [r0]\nldr r0, =0x58024804\n"
                   "1: ldr r1, [r0]\nlsls r1, r1, #18\nbpl 1b\nb reset\n.ltorg\n");
}

__attribute__((unused)) static void unlock(void)
{
    FLASH_KEYR1 = 0x45670123;
    FLASH_KEYR1 = 0xcdef89ab;
    FLASH_KEYR2 = 0x45670123;
    FLASH_KEYR2 = 0xcdef89ab;
}

/* In bank 2. */
__attribute__((unused)) static void program(uint32_t address, uint32_t word)
{
    FLASH_CR2 = 2 | X64;
    for (uint32_t i = 0; i < 32; i += 4) REG(address + i) = word;
    while (FLASH_SR2 & 7) {
    }
    FLASH_CR2 = X64;
}

__attribute__((unused)) static void erase(uint32_t sector)
{
    FLASH_CR2 = 4 | sector << 8 | X64;
    FLASH_CR2 = 4 | sector << 8 | X64 | 0x80;
    while (FLASH_SR2 & 7) {
    }
    FLASH_CR2 = X64;
}

__attribute__((unused)) static void pll_400mhz(void)
{
    RCC_PLLCKSELR = 16 << 4;
    RCC_PLLCFGR = 2 << 2 | 1 << 16;
    RCC_PLL1DIVR = 199 | 1 << 9;
    RCC_CR |= 1u << 24;
    while (!(RCC_CR & 1u << 25)) {
    }
}

__attribute__((unused)) static void scale_1(void)
{
    PWR_D3CR = 3 << 14;
    while (!(PWR_D3CR & 1 << 13)) {
    }
}

__attribute__((unused)) static void buses(void)
{
    RCC_D1CFGR = 8 | 4 << 4;
    RCC_D2CFGR = 4 << 4 | 4 << 8;
    RCC_D3CFGR = 4 << 4;
}
