/* SPDX-License-Identifier: MIT */
/* intake.h - one update at a time into the bootloader's engine, and what became of the last one, in words. */
#ifndef INTAKE_H
#define INTAKE_H

#include <stdbool.h>
#include <stdint.h>

struct intake {
    bool busy;                  /* one is under way */
    bool installs;              /* the last one is installed at the next reset */
    uint32_t taken, total;      /* bytes of it; total is 0 until its head is in */
    const char *words;          /* why the last one was not taken; 0 where it was, or there was none */
};

/* Begin one, of size bytes or 0 if that is not known.  False: it is refused, or another is under way. */
bool intake_begin(uint32_t size);

/* The next bytes of the file.  False once it is refused: the rest is not wanted. */
bool intake_data(const uint8_t *bytes, uint32_t len);

/* The file has ended.  True: it is whole, verified, and installed at the next reset. */
bool intake_end(void);

/* It will not come to its end, for the reason words. */
void intake_give_up(const char *words);

struct intake intake_now(void);

#endif
