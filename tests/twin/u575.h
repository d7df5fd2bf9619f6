/* u575.h - the registers that the twin's test firmware touches; typed from RM0456, not from the chip facts. */
#include "common.h"
#define RCC_CR REG(0x46020c00)
#define RCC_ICSCR1 REG(0x46020c08)
#define RCC_CFGR1 REG(0x46020c1c)
#define RCC_CFGR2 REG(0x46020c20)
#define RCC_PLL1CFGR REG(0x46020c28)
#define RCC_PLL1DIVR REG(0x46020c34)
#define RCC_PORTENR REG(0x46020c8c)
#define RCC_AHB3ENR REG(0x46020c94)
#define RCC_UARTENR REG(0x46020c9c)
#define RCC_CSR REG(0x46020cf4)
#define UART_EN (1u << 17)
#define PWR_VOSR REG(0x4602080c)
#define PWR_SVMSR REG(0x4602083c)
#define FLASH_ACR REG(0x40022000)
#define FLASH_KEYR REG(0x40022008)
#define FLASH_SR REG(0x40022020)
#define FLASH_CR REG(0x40022028)
#define FLASH_ECCR REG(0x40022030)
#define FLASH_OPTR REG(0x40022040)
#define ICACHE_CR REG(0x40030400)
#define ICACHE_SR REG(0x40030404)
#define BKER 11
#define BUSY (1u << 16)
#define UART 0x40004400
#define UART_AF 7
#define PORTA 0x42020000
#define QUAD_WORDS
#include "ecc.h"

static void range(uint32_t vos)
{
    RCC_AHB3ENR |= 1u << 2;
    (void)RCC_AHB3ENR;
    PWR_VOSR = (PWR_VOSR & ~(3u << 16)) | vos << 16;
    while (!(PWR_VOSR & 1u << 15)) {
    }
}

/* HSI 16 MHz / m * n / r; range 3 of the input where it has 16 MHz */
static void pll(uint32_t m, uint32_t n, uint32_t r)
{
    RCC_CR |= 1u << 8;
    while (!(RCC_CR & 1u << 10)) {
    }
    RCC_PLL1CFGR = 2 | (m == 1 ? 3u << 2 : 0) | (m - 1) << 8 | 1u << 18;
    RCC_PLL1DIVR = (n - 1) | (r - 1) << 24;
}

static void boost(void)
{
    PWR_VOSR |= 1u << 18;
    while (!(PWR_VOSR & 1u << 14)) {
    }
}

static void pll_on(void)
{
    RCC_CR |= 1u << 24;
    while (!(RCC_CR & 1u << 25)) {
    }
}

static void run_on_pll(void)
{
    RCC_CFGR1 = 3;
    while ((RCC_CFGR1 & 0xc) != 0xc) {
    }
}
