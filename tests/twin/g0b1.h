/* g0b1.h - the registers that the twin's test firmware touches; typed from RM0444, not from the chip facts. */
#include "common.h"
#define RCC_CR REG(0x40021000)
#define RCC_CFGR REG(0x40021008)
#define RCC_PLLCFGR REG(0x4002100c)
#define RCC_PORTENR REG(0x40021034)
#define RCC_UARTENR REG(0x4002103c)
#define UART_EN (1u << 17)
#define FLASH_ACR REG(0x40022000)
#define FLASH_KEYR REG(0x40022008)
#define FLASH_SR REG(0x40022010)
#define FLASH_CR REG(0x40022014)
#define FLASH_ECCR REG(0x40022018)
#define FLASH_ECCR2 REG(0x4002201c)
#define FLASH_OPTR REG(0x40022020)
#define BKER 13
#define BUSY (7u << 16)
#define UART 0x40004400
#define UART_AF 1
#define PORTA 0x50000000
#include "ecc.h"
