/* l073.h - the registers that the twin's test firmware touches; typed from RM0367, not from the chip facts. */
#include "common.h"
#define RCC_CR REG(0x40021000)
#define RCC_CFGR REG(0x4002100c)
#define RCC_IOPENR REG(0x4002102c)
#define RCC_APB1ENR REG(0x40021038)
#define RCC_CSR REG(0x40021050)
#define PWR_CR REG(0x40007000)
#define PWR_CSR REG(0x40007004)
#define FLASH_ACR REG(0x40022000)
#define FLASH_PECR REG(0x40022004)
#define FLASH_PEKEYR REG(0x4002200c)
#define FLASH_PRGKEYR REG(0x40022010)
#define FLASH_SR REG(0x40022018)
#define FLASH_OPTR REG(0x4002201c)
#define USART2_CR1 REG(0x40004400)
#define LPUART1_CR1 REG(0x40004800)
#define LPUART1_BRR REG(0x4000480c)
#define LPUART1_TDR REG(0x40004828)
#define GPIOA_MODER REG(0x50000000)
#define GPIOA_AFRL REG(0x50000020)
#define PROG (1u << 3)
#define ERASE (1u << 9)
#define FPRG (1u << 10)
#define BUSY 1u
#define PLL_32MHZ (1u << 18 | 1u << 22) /* HSI16 times 4, by 2 */

static void unlock(void)
{
    FLASH_PEKEYR = 0x89abcdef;
    FLASH_PEKEYR = 0x02030405;
    FLASH_PRGKEYR = 0x8c9daebf;
    FLASH_PRGKEYR = 0x13141516;
}

static void program(uint32_t address, uint32_t value)
{
    REG(address) = value;
    while (FLASH_SR & BUSY) {
    }
}

static void erase(uint32_t address)
{
    FLASH_PECR = PROG | ERASE;
    REG(address) = 0;
    while (FLASH_SR & BUSY) {
    }
    FLASH_PECR = 0;
}

/* 16 words at an address, by code in RAM: ldr r4, [r1]; adds; str r4, [r0]; adds; subs; bne; bx lr. */
static void half_page(uint32_t address, uint32_t words, uint32_t step)
{
    static const uint32_t from[20] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
    volatile unsigned short *code = (volatile unsigned short *)0x20000800;
    code[0] = 0xb410; /* push {r4} */
    code[1] = 0x680c; /* ldr r4, [r1] */
    code[2] = 0x3104; /* adds r1, #4 */
    code[3] = 0x6004; /* str r4, [r0] */
    code[4] = 0x18c0; /* adds r0, r0, r3 */
    code[5] = 0x3a01; /* subs r2, #1 */
    code[6] = 0xd1f9; /* bne code[1] */
    code[7] = 0xbc10; /* pop {r4} */
    code[8] = 0x4770; /* bx lr */
    volatile uint32_t *copy = (volatile uint32_t *)0x20000900;
    for (int i = 0; i < 20; i++) copy[i] = from[i];
    FLASH_PECR = PROG | FPRG;
    ((void (*)(uint32_t, volatile uint32_t *, uint32_t, uint32_t))0x20000801)(address, copy, words, step);
    while (FLASH_SR & BUSY) {
    }
}
