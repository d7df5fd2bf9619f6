/* ospi.h - OCTOSPI as a driver uses it, in the order of ST's HAL; typed from RM0432 and RM0438, not from the chip facts.
 * A test defines OSPI, the address of the block, and WIDTH, 2 for 3 bytes of address and 3 for 4. */
#define O_CR REG(OSPI)
#define O_DCR1 REG(OSPI + 0x08)
#define O_DCR2 REG(OSPI + 0x0c)
#define O_SR REG(OSPI + 0x20)
#define O_FCR REG(OSPI + 0x24)
#define O_DLR REG(OSPI + 0x40)
#define O_AR REG(OSPI + 0x48)
#define O_DR BYTE(OSPI + 0x50)
#define O_PSMKR REG(OSPI + 0x80)
#define O_PSMAR REG(OSPI + 0x88)
#define O_PIR REG(OSPI + 0x90)
#define O_CCR REG(OSPI + 0x100)
#define O_TCR REG(OSPI + 0x108)
#define O_IR REG(OSPI + 0x110)
#define O_WCCR REG(OSPI + 0x180)
#define TCF 2u
#define FTF 4u
#define SMF 8u
#define O_BUSY 0x20u
#define SPI 1u
#define SPI_A (1u << 8 | WIDTH << 12)
#define SPI_D (1u << 24)
#define OPI (4u | 1u << 4)
#define OPI_A (4u << 8 | 3u << 12)
#define OPI_D (4u << 24)
#define DOPI (OPI | 1u << 3 | 1u << 27)
#define DOPI_A (OPI_A | 1u << 11)
#define DOPI_D (OPI_D | 1u << 27 | 1u << 29)

static void o_idle(void)
{
    while (O_SR & O_BUSY) {
    }
    O_FCR = 0x1b;
}

static void o_done(uint32_t flag)
{
    while (!(O_SR & flag)) {
    }
    O_FCR = flag;
}

static void o_mode(uint32_t mode, uint32_t ccr, uint32_t clocks)
{
    o_idle();
    O_CR = (O_CR & ~(3u << 28)) | mode << 28;
    O_TCR = (ccr & 1u << 27 ? 1u << 28 : 1u << 30) | clocks;
    O_CCR = ccr;
}

/* A command without data, with an address or without. */
__attribute__((unused)) static void o_command(uint32_t ccr, uint32_t op, uint32_t address)
{
    o_mode(0, ccr, 0);
    O_IR = op;
    if (ccr & 0x700)
        O_AR = address;
    o_done(TCF);
}

__attribute__((unused)) static void o_read(uint32_t ccr, uint32_t op, uint32_t address, volatile uint8_t *to, uint32_t count,
                                           uint32_t clocks)
{
    o_idle();
    O_DLR = count - 1;
    o_mode(1, ccr, clocks);
    O_IR = op;
    if (ccr & 0x700)
        O_AR = address;
    while (count--) {
        while (!(O_SR & (FTF | TCF))) {
        }
        *to++ = O_DR;
    }
    o_done(TCF);
}

__attribute__((unused)) static void o_write(uint32_t ccr, uint32_t op, uint32_t address, volatile const uint8_t *from,
                                            uint32_t count)
{
    o_idle();
    O_DLR = count - 1;
    o_mode(0, ccr, 0);
    O_IR = op;
    if (ccr & 0x700)
        O_AR = address;
    while (count--) {
        while (!(O_SR & FTF)) {
        }
        O_DR = *from++;
    }
    o_done(TCF);
}

/* Poll the status by the block, in SPI by one byte, in the octal protocols with an address and by their dummy clocks. */
__attribute__((unused)) static void o_poll(uint32_t protocol, uint32_t op, uint32_t mask, uint32_t match)
{
    uint32_t data = protocol == SPI ? SPI_D : protocol == OPI ? OPI_A | OPI_D : DOPI_A | DOPI_D;
    o_idle();
    O_PSMKR = mask;
    O_PSMAR = match;
    O_PIR = 16;
    O_DLR = protocol == DOPI;
    O_CR |= 1u << 22;
    o_mode(2, protocol | data, protocol == SPI ? 0 : protocol == OPI ? 4 : 5);
    O_IR = op;
    if (protocol != SPI)
        O_AR = 0;
    o_done(SMF);
}

__attribute__((unused)) static void o_map(uint32_t ccr, uint32_t op, uint32_t clocks)
{
    o_mode(0, ccr, clocks);
    O_IR = op;
    O_WCCR = ccr;
    O_CR |= 3u << 28;
}
