/* SPDX-License-Identifier: MIT */
/* phy.h - a LAN8742A by the management interface of the MAC (IEEE 802.3 22.2.4, DS00001989A 4.2). */
#ifndef PHY_H
#define PHY_H

#include <stdbool.h>
#include <stdint.h>

struct phy_link {
    bool up, fast, full;        /* fast: 100 Mbit/s */
};

/* Whether a PHY answers at the address of the board. */
bool phy_there(void);

/* The link as it is now; a loss since the last call is a link that is down once. */
struct phy_link phy_link(void);

#endif
