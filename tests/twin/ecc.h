/* ecc.h - what the families with double words, or quad-words, and ECC have alike, on top of their registers. */
#define UART_CR1 REG(UART)
#define UART_BRR REG(UART + 0xc)
#define UART_ISR REG(UART + 0x1c)
#define UART_TDR REG(UART + 0x28)

static void console(uint32_t divider)
{
    RCC_PORTENR |= 1;
    RCC_UARTENR |= UART_EN;
    (void)RCC_UARTENR;
    REG(PORTA) = (REG(PORTA) & ~0xf0u) | 0xa0u;
    REG(PORTA + 0x20) = (REG(PORTA + 0x20) & ~0xff00u) | UART_AF << 8 | UART_AF << 12;
    UART_BRR = divider;
    UART_CR1 = 0xd;
}

static void unlock(void)
{
    FLASH_KEYR = 0x45670123;
    FLASH_KEYR = 0xcdef89ab;
}

static void program(uint32_t address, uint32_t low, uint32_t high)
{
    FLASH_CR = 1;
    REG(address) = low;
    REG(address + 4) = high;
#ifdef QUAD_WORDS
    REG(address + 8) = low;
    REG(address + 12) = high;
#endif
    while (FLASH_SR & BUSY) {
    }
    FLASH_CR = 0;
}

static void erase(uint32_t bank, uint32_t page)
{
    FLASH_CR = 2 | page << 3 | bank << BKER;
    FLASH_CR = 2 | page << 3 | bank << BKER | 1u << 16;
    while (FLASH_SR & BUSY) {
    }
    FLASH_CR = 0;
}
