/* SPDX-License-Identifier: MIT */
/* board.h - what the template has to know of a board: a header of boards/, chosen by -DBOARD_HEADER=\"name.h\". */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(address))

#ifndef BOARD_HEADER
#define BOARD_HEADER "nucleo-l476rg.h"
#endif
#include BOARD_HEADER

#endif
