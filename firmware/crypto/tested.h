/* SPDX-License-Identifier: MIT */
/* tested.h - functions that tests call in the image that ships.
 * Link-time optimisation would fold them into their callers or change their arguments; marked, they stay whole, and
 * every test vector runs on the very instructions that a device executes. */
#ifndef SPB_TESTED_H
#define SPB_TESTED_H

#define SPB_TESTED __attribute__((used, noinline))

#endif
