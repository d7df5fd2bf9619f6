/* SPDX-License-Identifier: MIT */
/* stdlib.h - what lwIP names of it, in a function that is not linked here. */
#ifndef STDLIB_H
#define STDLIB_H

int atoi(const char *text);

#endif
