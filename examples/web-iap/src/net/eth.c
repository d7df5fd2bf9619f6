/* SPDX-License-Identifier: MIT */
#include "eth.h"

#include "board.h"

#define ETH 0x40028000u
#define MACCR REG(ETH + 0x00u)
#define MACA0HR REG(ETH + 0x40u)
#define MACA0LR REG(ETH + 0x44u)
#define DMABMR REG(ETH + 0x1000u)
#define DMATPDR REG(ETH + 0x1004u)
#define DMARPDR REG(ETH + 0x1008u)
#define DMARDLAR REG(ETH + 0x100Cu)
#define DMATDLAR REG(ETH + 0x1010u)
#define DMASR REG(ETH + 0x1014u)
#define DMAOMR REG(ETH + 0x1018u)
#define SYSCFG_PMC REG(0x40013804u)
#define RMII (1u << 23)
#define RCC_AHB1RSTR REG(RCC + 0x10u)
#define RCC_AHB1ENR REG(RCC + 0x30u)
#define AHB1_MAC (1u << 25)
#define AHB1_CLOCKS (7u << 25)          /* MAC, its transmitter, its receiver */

#define MACCR_RE (1u << 2)
#define MACCR_TE (1u << 3)
#define MACCR_FULL (1u << 11)
#define MACCR_FAST (1u << 14)
#define MACCR_CSTF (1u << 25)           /* frames with a type come without their FCS */
#define DMABMR_SR 1u
#define DMABMR_BURSTS (1u << 25 | 1u << 23 | 1u << 17 | 1u << 16 | 1u << 8)     /* AAB, USP, FB, one beat each */
#define DMAOMR_SR (1u << 1)
#define DMAOMR_ST (1u << 13)
#define DMAOMR_TSF (1u << 21)
#define DMAOMR_RSF (1u << 25)
#define DMASR_RBUS (1u << 7)
#define RESET_TURNS 1000000u

#define OWN (1u << 31)
#define TX_WHOLE (3u << 28)             /* first and last of its frame */
#define TX_CHAINED (1u << 20)
#define RX_CHAINED (1u << 14)
#define RX_WHOLE (3u << 8)
#define RX_ERROR (1u << 15)
#define RX_LEN(status) ((status) >> 16 & 0x3FFFu)
#define RX_COUNT 6u
#define TX_COUNT 4u
#define SIZE 1524u                      /* a multiple of four */
#define FCS 4u
#define HEAD 14u
#define TYPES 0x600u                    /* from here on it is a type, below it a length */

struct descriptor {
    volatile uint32_t status, sizes, buffer, next;
};

struct pin {
    uint32_t port, number;
};

static struct descriptor rx[RX_COUNT], tx[TX_COUNT];
static uint8_t rx_buffers[RX_COUNT][SIZE] __attribute__((aligned(4)));
static uint8_t tx_buffers[TX_COUNT][SIZE] __attribute__((aligned(4)));
static uint32_t rx_next, tx_next;

static void barrier(void) { __asm volatile("dsb" ::: "memory"); }

static void pins(void) {
    static const struct pin all[] = BOARD_RMII;
    for (uint32_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        uint32_t port = all[i].port, two = 2u * all[i].number, four = 4u * (all[i].number % 8u);
        uint32_t function = port + 0x20u + all[i].number / 8u * 4u;
        REG(function) = (REG(function) & ~(15u << four)) | 11u << four;
        REG(port + 0x08u) |= 3u << two;                         /* OSPEEDR */
        REG(port + 0x00u) = (REG(port + 0x00u) & ~(3u << two)) | 2u << two;
    }
}

static void rings(void) {
    for (uint32_t i = 0; i < RX_COUNT; i++) {
        rx[i] = (struct descriptor){.status = OWN, .sizes = RX_CHAINED | SIZE, .buffer = (uint32_t)rx_buffers[i],
                                    .next = (uint32_t)&rx[(i + 1u) % RX_COUNT]};
    }
    for (uint32_t i = 0; i < TX_COUNT; i++) {
        tx[i] = (struct descriptor){.status = 0, .buffer = (uint32_t)tx_buffers[i],
                                    .next = (uint32_t)&tx[(i + 1u) % TX_COUNT]};
    }
    barrier();
    DMARDLAR = (uint32_t)rx;
    DMATDLAR = (uint32_t)tx;
}

/* RMII is chosen while the MAC has no clock (RM0090 9.2.2); the bootloader has left it as after a reset. */
bool eth_start(const uint8_t address[6]) {
    pins();
    SYSCFG_PMC |= RMII;
    (void)SYSCFG_PMC;
    RCC_AHB1ENR |= AHB1_CLOCKS;
    RCC_AHB1RSTR |= AHB1_MAC;
    RCC_AHB1RSTR &= ~AHB1_MAC;
    (void)RCC_AHB1RSTR;
    DMABMR |= DMABMR_SR;
    for (uint32_t turns = RESET_TURNS; (DMABMR & DMABMR_SR) != 0; turns--) {
        if (turns == 0) return false;
    }
    DMABMR = DMABMR_BURSTS;
    MACA0HR = (uint32_t)address[5] << 8 | address[4];
    MACA0LR = (uint32_t)address[3] << 24 | (uint32_t)address[2] << 16 | (uint32_t)address[1] << 8 | address[0];
    rings();
    return true;
}

void eth_set_link(bool fast, bool full) {
    MACCR = MACCR_CSTF | (fast ? MACCR_FAST : 0u) | (full ? MACCR_FULL : 0u) | MACCR_TE | MACCR_RE;
    DMAOMR = DMAOMR_RSF | DMAOMR_TSF | DMAOMR_ST | DMAOMR_SR;
}

/* Bytes of a frame that is whole and has no error, without its FCS; 0 for any other. */
static uint32_t good(uint32_t status, const uint8_t *frame) {
    uint32_t len = RX_LEN(status);
    if ((status & RX_ERROR) != 0 || (status & RX_WHOLE) != RX_WHOLE || len > SIZE || len < HEAD + FCS) return 0;
    uint32_t type = (uint32_t)frame[12] << 8 | frame[13];
    if (type < TYPES) len -= FCS;
    return len <= ETH_MOST ? len : 0;
}

const uint8_t *eth_received(uint32_t *len) {
    for (uint32_t i = 0; i < RX_COUNT; i++) {
        const struct descriptor *next = &rx[rx_next];
        if ((next->status & OWN) != 0) return 0;
        *len = good(next->status, rx_buffers[rx_next]);
        if (*len != 0) return rx_buffers[rx_next];
        eth_release();
    }
    return 0;
}

void eth_release(void) {
    barrier();
    rx[rx_next].status = OWN;
    rx_next = (rx_next + 1u) % RX_COUNT;
    barrier();
    if ((DMASR & DMASR_RBUS) != 0) {            /* it stands still, as there was no place */
        DMASR = DMASR_RBUS;
        DMARPDR = 0;
    }
}

uint8_t *eth_place(void) { return (tx[tx_next].status & OWN) == 0 ? tx_buffers[tx_next] : 0; }

void eth_send(uint32_t len) {
    tx[tx_next].sizes = len;
    barrier();
    tx[tx_next].status = OWN | TX_WHOLE | TX_CHAINED;
    tx_next = (tx_next + 1u) % TX_COUNT;
    barrier();
    DMATPDR = 0;
}
