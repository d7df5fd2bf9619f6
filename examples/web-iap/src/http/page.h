/* SPDX-License-Identifier: MIT */
/* page.h - what the server shows. */
#ifndef PAGE_H
#define PAGE_H

#include <stdint.h>

#include "text.h"

/* pages.c: one page of HTML, which needs nothing from elsewhere. */
extern const char page_html[];
extern const uint32_t page_size;

/* What runs, how the last update came out, and how far one is that is under way, as JSON. */
void page_status(struct text *body);

#endif
