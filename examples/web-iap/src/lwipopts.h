/* SPDX-License-Identifier: MIT */
/* lwipopts.h - lwIP without an operating system: IPv4, ARP, ICMP and TCP, one fixed address.
 * The window is smaller than the receive ring (eth.c), so no frame of a connection is lost while flash is erased. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0          /* all of it runs in the main loop */
#define LWIP_TIMERS 1
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_IPV4 1
#define LWIP_IPV6 0
#define LWIP_ARP 1
#define LWIP_ICMP 1
#define LWIP_RAW 0
#define LWIP_UDP 0
#define LWIP_TCP 1
#define LWIP_DHCP 0
#define LWIP_AUTOIP 0
#define LWIP_DNS 0
#define LWIP_IGMP 0
#define IP_REASSEMBLY 0
#define IP_FRAG 0
#define LWIP_STATS 0
#define LWIP_NETIF_LINK_CALLBACK 0
#define LWIP_SINGLE_NETIF 1

#define MEM_ALIGNMENT 4
#define MEM_SIZE 8192
#define TCP_MSS 1460
#define TCP_WND (3 * TCP_MSS)
#define TCP_SND_BUF (4 * TCP_MSS)
#define TCP_SND_QUEUELEN 16
#define TCP_QUEUE_OOSEQ 0
#define MEMP_NUM_TCP_SEG 24
#define MEMP_NUM_TCP_PCB 8
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define MEMP_NUM_PBUF 24
#define PBUF_POOL_SIZE 8
#define PBUF_POOL_BUFSIZE 1524
#define TCP_MSL 5000UL                  /* a connection that was closed is forgotten in 10 s */

#endif
