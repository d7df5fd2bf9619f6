/* eth.h - Ethernet of NUCLEO-F429ZI as the twin's test firmware sets it up; typed from RM0090 33, not from the model. */
#define E(at) REG(0x40028000 + at)
#define RING 0x20010000
#define TX(n) ((volatile uint32_t *)(RING + 16 * (n)))
#define RX(n) ((volatile uint32_t *)(RING + 0x100 + 16 * (n)))
#define TX_BUFFER 0x20011000
#define RX_BUFFER 0x20012000
#define MIIAR E(0x10)
#define MIIDR E(0x14)
#define BMR E(0x1000)
#define TPDR E(0x1004)
#define RPDR E(0x1008)
#define RDLAR E(0x100c)
#define TDLAR E(0x1010)
#define DMASR E(0x1014)
#define OMR E(0x1018)
#define IER E(0x101c)

static void alternate(uint32_t port, uint32_t pin)
{
    REG(port) = (REG(port) & ~(3u << 2 * pin)) | 2u << 2 * pin;
    uint32_t afr = port + 0x20 + (pin / 8) * 4, at = 4 * (pin % 8);
    REG(afr) = (REG(afr) & ~(15u << at)) | 11u << at;
}

static void pins(void)
{
    RCC_AHB1ENR |= 0x47; /* GPIOA, B, C, G */
    (void)RCC_AHB1ENR;
    alternate(0x40020000, 1); alternate(0x40020000, 2); alternate(0x40020000, 7); alternate(0x40020400, 13);
    alternate(0x40020800, 1); alternate(0x40020800, 4); alternate(0x40020800, 5);
    alternate(0x40021800, 11); alternate(0x40021800, 13);
}

static void rmii(void)
{
    REG(0x40023844) |= 1u << 14; /* SYSCFGEN */
    (void)REG(0x40023844);
    REG(0x40013804) |= 1u << 23; /* PMC: MII_RMII_SEL */
    (void)REG(0x40013804);
}

static void gates(void)
{
    RCC_AHB1ENR |= 7u << 25;
    (void)RCC_AHB1ENR;
}

static void core_reset(void)
{
    BMR = 1;
    while (BMR & 1) {
    }
}

static uint32_t smi(uint32_t phy, uint32_t reg)
{
    MIIAR = phy << 11 | reg << 6 | 4 << 2 | 1; /* HCLK / 102 */
    while (MIIAR & 1) {
    }
    return MIIDR;
}

static void smi_write(uint32_t phy, uint32_t reg, uint32_t value)
{
    MIIDR = value;
    MIIAR = phy << 11 | reg << 6 | 4 << 2 | 2 | 1;
    while (MIIAR & 1) {
    }
}

static void set_up(void)
{
    clock_168mhz();
    pins();
    rmii();
    gates();
    core_reset();
}

static void link(void)
{
    while (!(smi(0, 1) & 4)) {
    }
}

static void tenth(void) /* of a second */
{
    SYST_RVR = 0xffffff;
    SYST_CVR = 0;
    SYST_CSR = 5;
    while (!(SYST_CSR & 1u << 16)) {
    }
}

static void rings(void) /* two each, TX by a ring, RX chained; 02:00:00:00:00:01 */
{
    for (int i = 0; i < 2; i++) {
        TX(i)[0] = i == 1 ? 1u << 21 : 0;
        TX(i)[1] = 0;
        RX(i)[1] = 1u << 14 | 1524;
        RX(i)[2] = RX_BUFFER + 0x800 * i;
        RX(i)[3] = (uint32_t)RX(1 - i);
        RX(i)[0] = 1u << 31;
    }
    E(0x40) = 0x0100;
    E(0x44) = 0x00000002;
    TDLAR = (uint32_t)TX(0);
    RDLAR = (uint32_t)RX(0);
    E(0x00) = 1u << 25 | 1 << 14 | 1 << 11 | 1 << 3 | 1 << 2; /* CSTF, FES, DM, TE, RE */
    OMR = 1 << 25 | 1 << 21 | 1 << 13 | 1 << 1;
}

static void transmit(int n, uint32_t at, uint32_t size)
{
    TX(n)[1] = size;
    TX(n)[2] = at;
    TX(n)[0] = (TX(n)[0] & 1u << 21) | 7u << 28 | 1u << 31;
    TPDR = 0;
}
