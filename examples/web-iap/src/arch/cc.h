/* SPDX-License-Identifier: MIT */
/* cc.h - lwIP's view of the compiler. */
#ifndef ARCH_CC_H
#define ARCH_CC_H

#include <stdint.h>

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_UNISTD_H 1
#define LWIP_NO_CTYPE_H 1
#define X8_F "02x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "lu"
#define S32_F "ld"
#define X32_F "lx"
#define SZT_F "u"
#define BYTE_ORDER LITTLE_ENDIAN
#define LWIP_PLATFORM_DIAG(x) ((void)0)
#define LWIP_PLATFORM_ASSERT(words) net_failed(__LINE__)      /* the words are 5 KB of flash */
#define LWIP_RAND() net_random()

void net_failed(uint32_t line);
uint32_t net_random(void);

#endif
