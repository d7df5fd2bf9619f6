/* SPDX-License-Identifier: MIT */
#include "phy.h"

#include "board.h"

#define MACMIIAR REG(0x40028010u)
#define MACMIIDR REG(0x40028014u)
#define MB 1u
#define CR_BY_102 (4u << 2)             /* HCLK of 150 MHz and more (RM0090 33.4.1) */
#define TURNS 100000u                   /* a transfer takes 40 us */

#define BSR 1u
#define ID1 2u
#define ID2 3u
#define SPECIAL 31u
#define BSR_LINK (1u << 2)
#define BSR_DONE (1u << 5)
#define SPECIAL_FAST (1u << 3)
#define SPECIAL_FULL (1u << 4)
#define MAKER 0x0007u
#define MODEL 0xC130u

static uint32_t read(uint32_t number) {
    MACMIIAR = BOARD_PHY << 11 | number << 6 | CR_BY_102 | MB;
    for (uint32_t turns = TURNS; turns != 0; turns--) {
        if ((MACMIIAR & MB) == 0) return MACMIIDR & 0xFFFFu;
    }
    return 0;
}

bool phy_there(void) { return read(ID1) == MAKER && (read(ID2) & 0xFFF0u) == MODEL; }

struct phy_link phy_link(void) {
    uint32_t status = read(BSR);
    if (status == 0xFFFFu || (status & (BSR_LINK | BSR_DONE)) != (BSR_LINK | BSR_DONE)) return (struct phy_link){.up = false};
    uint32_t special = read(SPECIAL);
    return (struct phy_link){
        .up = true, .fast = (special & SPECIAL_FAST) != 0, .full = (special & SPECIAL_FULL) != 0};
}
