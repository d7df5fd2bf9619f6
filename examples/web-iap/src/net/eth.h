/* SPDX-License-Identifier: MIT */
/* eth.h - the Ethernet MAC of STM32F4 with its DMA, polled: two rings of descriptors with a buffer each (RM0090 33).
 * The receive ring goes on filling while the main loop is busy, as when SE_PATCH_Data erases a sector. */
#ifndef ETH_H
#define ETH_H

#include <stdbool.h>
#include <stdint.h>

#define ETH_MOST 1514u          /* bytes of a frame, without padding and FCS */

/* Clocks, pins, RMII and a reset of the MAC, which ends only if the PHY gives its clock: false where it does not. */
bool eth_start(const uint8_t address[6]);

/* Speed and duplex as the PHY has negotiated them; frames pass from the first call on. */
void eth_set_link(bool fast, bool full);

/* The oldest frame that came, and its length; 0 when there is none.  eth_release gives its place back. */
const uint8_t *eth_received(uint32_t *len);
void eth_release(void);

/* Where the next frame to be sent is written; 0 while all places are under way.  eth_send sends it. */
uint8_t *eth_place(void);
void eth_send(uint32_t len);

#endif
