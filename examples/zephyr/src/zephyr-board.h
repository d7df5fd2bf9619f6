/* SPDX-License-Identifier: MIT */
/* What board.h of the template wants of a board: Zephyr has the rest of it. */
#define BOARD_NAME CONFIG_BOARD
