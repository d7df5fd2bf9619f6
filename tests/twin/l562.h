/* l562.h - the registers that the twin's test firmware touches; typed from RM0438, not from the chip facts. */
#include "common.h"
#define RCC_CR REG(0x40021000)
#define RCC_CFGR REG(0x40021008)
#define RCC_PLLCFGR REG(0x4002100c)
#define RCC_PORTENR REG(0x4002104c)
#define RCC_UARTENR REG(0x40021058)
#define UART_EN (1u << 17)
#define PWR_CR1 REG(0x40007000)
#define PWR_CR2 REG(0x40007004)
#define PWR_SR1 REG(0x40007010)
#define PWR_SR2 REG(0x40007014)
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
#include "ecc.h"
