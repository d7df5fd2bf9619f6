/* wl55.h - the registers that the twin's test firmware touches; typed from RM0453, not from the chip facts. */
#include "common.h"
#define RCC_CR REG(0x58000000)
#define RCC_CFGR REG(0x58000008)
#define RCC_PLLCFGR REG(0x5800000c)
#define RCC_PORTENR REG(0x5800004c)
#define RCC_UARTENR REG(0x58000058)
#define UART_EN (1u << 17)
#define FLASH_ACR REG(0x58004000)
#define FLASH_KEYR REG(0x58004008)
#define FLASH_SR REG(0x58004010)
#define FLASH_CR REG(0x58004014)
#define FLASH_ECCR REG(0x58004018)
#define FLASH_OPTR REG(0x58004020)
#define BKER 31
#define BUSY (5u << 16)
#define UART 0x40004400
#define UART_AF 7
#define PORTA 0x48000000
#include "ecc.h"
