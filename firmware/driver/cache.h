/* SPDX-License-Identifier: MIT */
/* cache.h - the caches of a Cortex-M7 (cache_m7.c).  Decision 0018 says why they are on. */
#ifndef SPB_CACHE_H
#define SPB_CACHE_H

#include <stdint.h>

/* Both on, empty before. */
void spb_cache_start(void);

/* Both off; RAM holds all that was written. */
void spb_cache_stop(void);

/* RAM holds what was written to the len bytes at address. */
void spb_cache_clean(uint32_t address, uint32_t len);

/* The data cache holds nothing of the len bytes at address, which must not be RAM.  Works whoever turned it on. */
void spb_cache_forget(uint32_t address, uint32_t len);

/* Neither cache holds anything of the len bytes at address, which are changed by others than this core and may be read-only. */
void spb_cache_drop(uint32_t address, uint32_t len);

/* The len bytes at address were written as data and are to be executed.  Works whoever turned the caches on; on a core
 * without caches it is a barrier. */
void spb_cache_publish(uint32_t address, uint32_t len);

#endif
