/* dma.h - a UART with DMA on every family; typed from the manuals, not from the chip facts.
 * Given: DMA (its base), DMAMUX or 0, REQUEST_RX and _TX, RX and TX (channels as the manual counts them), KIND, TRBUFF
 * (the bit, on STM32H7), BUFFER (RAM that DMA reaches), and of the UART RDR, TDR and CR3_AT. */
#define CHANNEL 1 /* RM0440 12.6 */
#define STREAM 2  /* RM0090 10.5 */
#define GPDMA 3   /* RM0456 17.8 */
#define CIRCULAR 1
#define INTERRUPTS 2
#define TC 1
#define HT 2
#define TE 4
#define UNUSED __attribute__((unused))
#ifndef ITEMS /* where lists of GPDMA are */
#define ITEMS (BUFFER + 0x800)
#endif

UNUSED static void listen_to(uint32_t channel, uint32_t request)
{
    if (DMAMUX)
        REG(DMAMUX + 4 * (channel - (KIND == CHANNEL))) = request;
    else if (KIND == CHANNEL)
        REG(DMA + 0xa8) = (REG(DMA + 0xa8) & ~(15u << 4 * (channel - 1))) | request << 4 * (channel - 1);
}

#if KIND == CHANNEL
#define R(channel, offset) REG(DMA + 8 + 20 * ((channel) - 1) + (offset))
#define CR(channel) R(channel, 0)
#define LEFT(channel) R(channel, 4)
UNUSED static uint32_t flags(uint32_t channel)
{
    uint32_t bits = REG(DMA) >> 4 * (channel - 1);
    return (bits >> 1 & 1) | (bits >> 1 & 2) | (bits >> 1 & 4);
}
UNUSED static void clear(uint32_t channel) { REG(DMA + 4) = 1u << 4 * (channel - 1); }
UNUSED static void begin(uint32_t channel, uint32_t request, uint32_t register_, uint32_t memory, uint32_t n, uint32_t how)
{
    listen_to(channel, request);
    R(channel, 4) = n;
    R(channel, 8) = register_;
    R(channel, 12) = memory;
    CR(channel) = (how & CIRCULAR ? 0x20 : 0) | (how & INTERRUPTS ? 0xe : 0) | 0x80 | (channel == TX ? 0x10 : 0);
    CR(channel) |= 1;
}
UNUSED static void end(uint32_t channel) { CR(channel) &= ~1u; }
UNUSED static uint32_t on(uint32_t channel) { return CR(channel) & 1; }
#elif KIND == STREAM
#define R(channel, offset) REG(DMA + 0x10 + 24 * (channel) + (offset))
#define CR(channel) R(channel, 0)
#define LEFT(channel) R(channel, 4)
UNUSED static uint32_t place(uint32_t channel) { return (channel & 1) * 6 + (channel & 2) * 8; }
UNUSED static uint32_t flags(uint32_t channel)
{
    uint32_t bits = REG(DMA + (channel >> 2) * 4) >> place(channel);
    return (bits >> 5 & 1) | (bits >> 3 & 2) | (bits >> 1 & 4);
}
UNUSED static void clear(uint32_t channel) { REG(DMA + 8 + (channel >> 2) * 4) = 0x3du << place(channel); }
UNUSED static void begin(uint32_t channel, uint32_t request, uint32_t register_, uint32_t memory, uint32_t n, uint32_t how)
{
    listen_to(channel, request);
    R(channel, 4) = n;
    R(channel, 8) = register_;
    R(channel, 12) = memory;
    CR(channel) = (how & CIRCULAR ? 0x100 : 0) | (how & INTERRUPTS ? 0x1c : 0) | 0x400 | (channel == TX ? 0x40 : 0) |
                  (DMAMUX ? TRBUFF : request << 25);
    CR(channel) |= 1;
}
UNUSED static void end(uint32_t channel)
{
    CR(channel) &= ~1u;
    while (CR(channel) & 1) {
    }
}
UNUSED static uint32_t on(uint32_t channel) { return CR(channel) & 1; }
#else
#define R(channel, offset) REG(DMA + 0x50 + 128 * (channel) + (offset))
#define CR(channel) R(channel, 0x14)
#define LEFT(channel) (R(channel, 0x48) & 0xffff)
UNUSED static uint32_t flags(uint32_t channel)
{
    uint32_t bits = R(channel, 0x10);
    return (bits >> 8 & 3) | (bits & 0x1c00 ? 4 : 0);
}
UNUSED static void clear(uint32_t channel) { R(channel, 0xc) = 0x7f00; }
/* A circular buffer is a list of one item that leads to itself. */
UNUSED static void begin(uint32_t channel, uint32_t request, uint32_t register_, uint32_t memory, uint32_t n, uint32_t how)
{
    uint32_t sends = channel == TX, item = ITEMS + 32 * channel;
    uint32_t tr1 = sends ? 1u << 3 : 1u << 19, tr2 = request | (sends ? 1u << 10 : 0);
    uint32_t source = sends ? memory : register_, to = sends ? register_ : memory;
    CR(channel) = how & INTERRUPTS ? 0x1f00 : 0;
    if (how & CIRCULAR) {
        uint32_t link = 0xf8010000u; /* UT1 UT2 UB1 USA UDA ULL */
        link |= item & 0xfffc;
        uint32_t words[6] = {tr1, tr2, n, source, to, link};
        for (uint32_t i = 0; i < 6; i++)
            REG(item + 4 * i) = words[i];
        R(channel, 0) = item & 0xffff0000u;
        R(channel, 0x48) = 0;
        R(channel, 0x7c) = link;
    } else {
        R(channel, 0x40) = tr1;
        R(channel, 0x44) = tr2;
        R(channel, 0x48) = n;
        R(channel, 0x4c) = source;
        R(channel, 0x50) = to;
        R(channel, 0x7c) = 0;
    }
    CR(channel) |= 1;
}
UNUSED static void end(uint32_t channel)
{
    if (!(CR(channel) & 1))
        return;
    CR(channel) |= 4;
    while (!(R(channel, 0x10) & 1u << 13)) {
    }
    CR(channel) |= 2;
    R(channel, 0xc) = 1u << 13;
}
UNUSED static uint32_t on(uint32_t channel) { return CR(channel) & 1; }
#endif

UNUSED static void receive(uint32_t n, uint32_t how)
{
    begin(RX, REQUEST_RX, RDR, BUFFER, n, how);
    REG(CR3_AT) |= 0x40;
}

UNUSED static void transmit(uint32_t memory, uint32_t n, uint32_t how)
{
    begin(TX, REQUEST_TX, TDR, memory, n, how);
    REG(CR3_AT) |= 0x80;
}
