/* g474.h - the registers that the twin's test firmware touches; typed from RM0440, not from the chip facts. */
#include "common.h"
#define RCC_CR REG(0x40021000)
#define RCC_CFGR REG(0x40021008)
#define RCC_PLLCFGR REG(0x4002100c)
#define RCC_PORTENR REG(0x4002104c)
#define RCC_UARTENR REG(0x40021058)
#define UART_EN (1u << 17)
#define PWR_EN (1u << 28)
#define PWR_CR1 REG(0x40007000)
#define PWR_SR2 REG(0x40007014)
#define PWR_CR5 REG(0x40007080)
#define FLASH_ACR REG(0x40022000)
#define FLASH_PDKEYR REG(0x40022004)
#define FLASH_KEYR REG(0x40022008)
#define FLASH_SR REG(0x40022010)
#define FLASH_CR REG(0x40022014)
#define FLASH_ECCR REG(0x40022018)
#define FLASH_OPTR REG(0x40022020)
#define BKER 11
#define BUSY (1u << 16)
#define UART 0x40004400
#define UART_AF 7
#define PORTA 0x48000000
#include "ecc.h"

/* HSI16 / 4 * n / 2 */
static void pll(uint32_t n)
{
    RCC_PLLCFGR = 2 | 3 << 4 | n << 8 | 1u << 24;
    RCC_CR |= 1u << 24;
    while (!(RCC_CR & 1u << 25)) {
    }
}

static void boost(void)
{
    RCC_UARTENR |= PWR_EN;
    (void)RCC_UARTENR;
    PWR_CR5 = 0;
}
