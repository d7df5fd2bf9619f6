/* qspi.h - QUADSPI as a driver uses it, in the order of ST's HAL; typed from RM0351, RM0410 and RM0399, not from the chip facts.
 * A test defines QSPI, the address of the block, and WIDTH, 2 for 3 bytes of address and 3 for 4. */
#define Q_CR REG(QSPI)
#define Q_DCR REG(QSPI + 0x04)
#define Q_SR REG(QSPI + 0x08)
#define Q_FCR REG(QSPI + 0x0c)
#define Q_DLR REG(QSPI + 0x10)
#define Q_CCR REG(QSPI + 0x14)
#define Q_AR REG(QSPI + 0x18)
#define Q_ABR REG(QSPI + 0x1c)
#define Q_DR BYTE(QSPI + 0x20)
#define Q_DR32 REG(QSPI + 0x20)
#define Q_PSMKR REG(QSPI + 0x24)
#define Q_PSMAR REG(QSPI + 0x28)
#define Q_PIR REG(QSPI + 0x2c)
#define Q_LPTR REG(QSPI + 0x30)
#define TCF 2u
#define FTF 4u
#define SMF 8u
#define Q_BUSY 0x20u
#define WRITE_MODE 0u
#define READ_MODE (1u << 26)
#define POLL_MODE (2u << 26)
#define MAPPED_MODE (3u << 26)
#define I1 (1u << 8)
#define A1 (1u << 10 | WIDTH << 12)
#define A4 (3u << 10 | WIDTH << 12)
#define D1 (1u << 24)
#define D4 (3u << 24)
#define I4 (3u << 8)
#define DUMMY(clocks) ((uint32_t)(clocks) << 18)

static void q_idle(void)
{
    while (Q_SR & Q_BUSY) {
    }
    Q_FCR = 0x1b;
}

static void q_done(uint32_t flag)
{
    while (!(Q_SR & flag)) {
    }
    Q_FCR = flag;
}

/* A command without data, with an address or without. */
__attribute__((unused)) static void q_command(uint32_t ccr, uint32_t address)
{
    q_idle();
    Q_CCR = ccr;
    if (ccr & 0xc00)
        Q_AR = address;
    q_done(TCF);
}

__attribute__((unused)) static void q_read(uint32_t ccr, uint32_t address, volatile uint8_t *to, uint32_t count)
{
    q_idle();
    Q_DLR = count - 1;
    Q_CCR = READ_MODE | ccr;
    if (ccr & 0xc00)
        Q_AR = address;
    while (count--) {
        while (!(Q_SR & (FTF | TCF))) {
        }
        *to++ = Q_DR;
    }
    q_done(TCF);
}

__attribute__((unused)) static void q_write(uint32_t ccr, uint32_t address, volatile const uint8_t *from, uint32_t count)
{
    q_idle();
    Q_DLR = count - 1;
    Q_CCR = WRITE_MODE | ccr;
    if (ccr & 0xc00)
        Q_AR = address;
    while (count--) {
        while (!(Q_SR & FTF)) {
        }
        Q_DR = *from++;
    }
    q_done(TCF);
}

/* Poll the status by the block until *mask* of it is *match*; *size* bytes of it. */
__attribute__((unused)) static void q_poll(uint32_t ccr, uint32_t mask, uint32_t match, uint32_t size)
{
    q_idle();
    Q_PSMKR = mask;
    Q_PSMAR = match;
    Q_PIR = 16;
    Q_DLR = size - 1;
    Q_CR |= 1u << 22;
    Q_CCR = POLL_MODE | ccr;
    q_done(SMF);
}
