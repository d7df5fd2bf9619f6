/* SPDX-License-Identifier: MIT */
/* net.h - lwIP on the MAC: one interface with a fixed address, all of it in the main loop. */
#ifndef NET_H
#define NET_H

#include <stdbool.h>

/* False where MAC or PHY do not answer; then net_poll does nothing. */
bool net_start(void);

/* Take in what came, and do what is due. */
void net_poll(void);

/* Whether the link has been up since the start. */
bool net_linked(void);

#endif
