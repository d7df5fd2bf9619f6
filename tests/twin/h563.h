/* h563.h - the registers that the twin's test firmware touches; typed from RM0481, not from the chip facts. */
#include "common.h"
#define RCC_CR REG(0x44020c00)
#define RCC_CFGR1 REG(0x44020c1c)
#define RCC_CFGR2 REG(0x44020c20)
#define RCC_PLL1CFGR REG(0x44020c28)
#define RCC_PLL1DIVR REG(0x44020c34)
#define RCC_PORTENR REG(0x44020c8c)
#define RCC_UARTENR REG(0x44020c9c)
#define RCC_RSR REG(0x44020cf4)
#define UART_EN (1u << 17)
#define PWR_PMCR REG(0x44020800)
#define PWR_VOSCR REG(0x44020810)
#define PWR_VOSSR REG(0x44020814)
#define PWR_SCCR REG(0x44020830)
#define FLASH_ACR REG(0x40022000)
#define FLASH_KEYR REG(0x40022004)
#define FLASH_OPTKEYR REG(0x4002200c)
#define FLASH_SR REG(0x40022020)
#define FLASH_CR REG(0x40022028)
#define FLASH_CCR REG(0x40022030)
#define FLASH_ECCR REG(0x40022104)
#define ICACHE_CR REG(0x40030400)
#define ICACHE_SR REG(0x40030404)
#define DBGMCU_IDCODE REG(0x44024000)
#define UART 0x40004400
#define UART_CR1 REG(UART)
#define PORTA 0x42020000

static void console(uint32_t divider)
{
    RCC_PORTENR |= 1;
    RCC_UARTENR |= UART_EN;
    (void)RCC_UARTENR;
    REG(PORTA) = (REG(PORTA) & ~0xf0u) | 0xa0u;
    REG(PORTA + 0x20) = (REG(PORTA + 0x20) & ~0xff00u) | 0x7700u;
    REG(UART + 0xc) = divider;
    UART_CR1 = 0xd;
}

static void unlock(void)
{
    FLASH_KEYR = 0x45670123;
    FLASH_KEYR = 0xcdef89ab;
}

/* BSY and WBNE */
static void rest(void)
{
    while (FLASH_SR & 3) {
    }
}

static void program(uint32_t address, uint32_t low, uint32_t high)
{
    FLASH_CR = 2;
    for (uint32_t i = 0; i < 16; i += 8) {
        REG(address + i) = low;
        REG(address + i + 4) = high;
    }
    rest();
    FLASH_CR = 0;
}

static void erase(uint32_t bank, uint32_t sector)
{
    FLASH_CR = 4 | sector << 6 | bank << 31 | 1u << 5;
    rest();
    FLASH_CR = 0;
}

static void scale(uint32_t vos)
{
    PWR_VOSCR = vos << 4;
    while ((PWR_VOSSR & 0x2008) != 0x2008) {
    }
}

/* HSI 32 MHz / m * n / p; range: of the input */
static void pll(uint32_t m, uint32_t n, uint32_t p, uint32_t range)
{
    RCC_PLL1CFGR = 1 | range << 2 | m << 8 | 1u << 16;
    RCC_PLL1DIVR = (n - 1) | (p - 1) << 9;
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
    while ((RCC_CFGR1 & 0x38) != 0x18) {
    }
}
