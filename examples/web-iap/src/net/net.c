/* SPDX-License-Identifier: MIT */
#include "net.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "board.h"
#include "console.h"
#include "eth.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"
#include "phy.h"
#include "update.h"

/* Another address: here. */
#define ADDRESS PP_HTONL(LWIP_MAKEU32(192, 168, 0, 10))
#define MASK PP_HTONL(LWIP_MAKEU32(255, 255, 255, 0))
#define GATEWAY PP_HTONL(LWIP_MAKEU32(192, 168, 0, 1))

#define LOOK_MS 100u
#define SEND_TURNS 100000u              /* a frame takes 0.12 ms at 100 Mbit/s, 1.2 ms at 10 */
#define UNIQUE_ID 0x1FFF7A10u           /* RM0090 39.1 */
#define HASH_START 2166136261u
#define HASH_FACTOR 16777619u

static struct netif interface;
static bool started, linked;
static uint32_t looked_ms, random_state;

/* 96 bits of the chip in 32 (FNV-1a). */
static uint32_t chip_hash(void) {
    uint32_t hash = HASH_START;
    for (uint32_t i = 0; i < 12u; i++) hash = (hash ^ *(volatile uint8_t *)(UNIQUE_ID + i)) * HASH_FACTOR;
    return hash;
}

/* Ports and sequence numbers, which need not be secret here (docs/web-iap.md): xorshift. */
uint32_t net_random(void) {
    random_state ^= console_ms();
    if (random_state == 0) random_state = HASH_START;
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

/* Only a mistake of ours comes here; on trial the reset is the way back. */
void net_failed(uint32_t line) {
    console_text("app: lwIP found itself wrong, line ");
    console_number(line);
    console_text("\r\n");
    update_reset();
}

uint32_t sys_now(void) { return console_ms(); }

static err_t output(struct netif *netif, struct pbuf *frame) {
    (void)netif;
    if (frame->tot_len > ETH_MOST) return ERR_BUF;
    uint8_t *place = eth_place();
    for (uint32_t turns = SEND_TURNS; place == NULL; place = eth_place()) {
        if (turns-- == 0) return ERR_MEM;
    }
    eth_send(pbuf_copy_partial(frame, place, frame->tot_len, 0));
    return ERR_OK;
}

static err_t set_up(struct netif *netif) {
    netif->name[0] = 'e';
    netif->name[1] = 't';
    netif->output = etharp_output;
    netif->linkoutput = output;
    netif->mtu = 1500;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    return ERR_OK;
}

bool net_start(void) {
    uint32_t hash = chip_hash();
    random_state = hash;
    const uint8_t address[6] = {0x02, 0x00, (uint8_t)(hash >> 24), (uint8_t)(hash >> 16), (uint8_t)(hash >> 8), (uint8_t)hash};
    const ip4_addr_t ip = {ADDRESS}, mask = {MASK}, gateway = {GATEWAY};
    lwip_init();
    started = eth_start(address) && phy_there();
    if (!started || netif_add(&interface, &ip, &mask, &gateway, NULL, set_up, ethernet_input) == NULL) return false;
    interface.hwaddr_len = sizeof address;
    memcpy(interface.hwaddr, address, sizeof address);
    netif_set_default(&interface);
    netif_set_up(&interface);
    return true;
}

static void look_at_link(void) {
    struct phy_link link = phy_link();
    if (link.up == (netif_is_link_up(&interface) != 0)) return;
    if (!link.up) {
        netif_set_link_down(&interface);
        console_text("app: the link is down\r\n");
        return;
    }
    eth_set_link(link.fast, link.full);
    netif_set_link_up(&interface);
    linked = true;
    console_text(link.fast ? "app: the link is up, 100 Mbit/s\r\n" : "app: the link is up, 10 Mbit/s\r\n");
}

static void take_in(void) {
    uint32_t len;
    for (const uint8_t *frame = eth_received(&len); frame != NULL; frame = eth_received(&len)) {
        struct pbuf *copy = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_POOL);
        bool taken = copy != NULL && pbuf_take(copy, frame, (u16_t)len) == ERR_OK;
        eth_release();
        if (!taken || interface.input(copy, &interface) != ERR_OK) {
            if (copy != NULL) pbuf_free(copy);
        }
    }
}

void net_poll(void) {
    if (!started) return;
    if (console_ms() - looked_ms >= LOOK_MS) {
        looked_ms = console_ms();
        look_at_link();
    }
    take_in();
    sys_check_timeouts();
}

bool net_linked(void) { return linked; }
