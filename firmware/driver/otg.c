/* SPDX-License-Identifier: MIT */
/* otg.c - the OTG core (IP otg_v1) as a host at full speed, in slave mode, polled: one channel, one packet at a time.
 * Its transceiver is the one within, or an ULPI PHY beside the chip, which is kept at full speed as well (FSLSS).
 * RM0090 34 and 35, RM0351 47, RM0432 48; RM0410 and RM0399, the chapters of OTG.
 * U1  The change bits of HPRT, and PENA, are written as 0: a 1 clears them, and PENA disables the port.
 * U2  Between the words of a packet no other register of the core is accessed: it would be corrupted.
 * U3  A channel is halted before it is used again, whatever ended its packet; one that does not halt costs a core reset. */
#include "bus.h"

#include "bytes.h"
#include "gpio.h"
#include "port.h"
#include "reg.h"
#include "spb_chip.h"
#include "tick.h"
#include "usb_clock.h"
#include "wait.h"

#define REG(name) (SPB_USB_BASE + OTG_##name##_OFF)
#define FIFO (SPB_USB_BASE + OTG_FIFO0_OFF)
#define CLOCK (RCC_BASE + SPB_USB_ENABLE_OFF)

/* Words of FIFO memory, of 320: a packet of 64 bytes takes 16, and one that is received two more. */
#define RX_WORDS 128u
#define TX_WORDS 96u
#define PERIODIC_WORDS 64u
#define ALL_FIFOS 0x10u         /* TXFNUM */
#define HCLK_FAST 6u            /* TRDT, from 32 MHz on */
#define CLOCK_48 1u             /* FSLSPCS: of the transceiver within */
#define CLOCK_60 0u             /* of an ULPI PHY */
#define FRAME_48 48000u         /* clocks of a millisecond */
#define FRAME_60 60000u
#define FULL_SPEED 1u           /* PSPD */
#define BULK 2u                 /* EPTYP */
#define IN_DATA 2u              /* PKTSTS */

#define STEP_MS 10u             /* of the core: many times what one takes */
#define MODE_MS 100u            /* 25 at least (OTG_GUSBCFG, FHMOD) */
#define OFF_MS 100u             /* VBUS, so that a stick starts anew */
#define RESET_MS 15u            /* of the bus: 10 to 20 (RM0090 34.7.1) */
#define RECOVERY_MS 11u         /* USB 2.0 7.1.7.5: 10 */
#define PACKET_MS 4u            /* it is sent in this frame or the next */
#define ERRORS 3u               /* in a row */
#define BUSY 8u                 /* answers of NAK, after which looks become rarer, by a millisecond each as many times */

#define ENDED (OTG_HCINT0_XFRC | OTG_HCINT0_STALL | OTG_HCINT0_NAK | OTG_HCINT0_TXERR | OTG_HCINT0_BBERR | OTG_HCINT0_DTERR)

/* A PHY beside the chip drives the switch of VBUS as well (DrvVbusExternal, UTMI+ Low Pin Interface 1.1). */
#define PHY (SPB_USB_ULPI ? OTG_GUSBCFG_ULPIEVBUSD : OTG_GUSBCFG_PHYSEL)
#define TRANSCEIVER (SPB_USB_ULPI ? 0 : OTG_GCCFG_PWRDWN | SPB_USB_NO_SENSING)
#define CLOCK_OF_PHY (SPB_USB_ULPI ? CLOCK_60 : CLOCK_48)
#define FRAME (SPB_USB_ULPI ? FRAME_60 : FRAME_48)

/* U1 */
static void port(uint32_t bits) { reg_write(REG(HPRT), OTG_HPRT_PPWR | bits); }

static bool flush(uint32_t bits) {
    reg_write(REG(GRSTCTL), bits);
    return spb_wait(REG(GRSTCTL), bits & (OTG_GRSTCTL_TXFFLSH | OTG_GRSTCTL_RXFFLSH), 0, STEP_MS);
}

/* With the PHY chosen: it needs the clock of that, and of cores for high speed the one within is not what they begin with. */
static bool core_reset(void) {
    if (!spb_wait(REG(GRSTCTL), OTG_GRSTCTL_AHBIDL, OTG_GRSTCTL_AHBIDL, STEP_MS)) return false;
    reg_write(REG(GUSBCFG), PHY);
    reg_write(REG(GRSTCTL), OTG_GRSTCTL_CSRST);
    return spb_wait(REG(GRSTCTL), OTG_GRSTCTL_CSRST | OTG_GRSTCTL_AHBIDL, OTG_GRSTCTL_AHBIDL, STEP_MS);
}

static bool core_start(void) {
    if (!core_reset()) return false;
    reg_write(REG(GCCFG), TRANSCEIVER);
    reg_write(REG(GUSBCFG), PHY | OTG_GUSBCFG_FHMOD | HCLK_FAST << OTG_GUSBCFG_TRDT_POS);
    if (!spb_wait(REG(GINTSTS), OTG_GINTSTS_CMOD, OTG_GINTSTS_CMOD, MODE_MS)) return false;
    reg_write(REG(PCGCCTL), 0);
    reg_write(REG(HCFG), CLOCK_OF_PHY << OTG_HCFG_FSLSPCS_POS | OTG_HCFG_FSLSS);
    reg_write(REG(HFIR), FRAME);
    reg_write(REG(GRXFSIZ), RX_WORDS);
    reg_write(REG(HNPTXFSIZ), TX_WORDS << OTG_HNPTXFSIZ_FD_POS | RX_WORDS);
    reg_write(REG(HPTXFSIZ), PERIODIC_WORDS << OTG_HPTXFSIZ_FD_POS | (RX_WORDS + TX_WORDS));
    if (!flush(OTG_GRSTCTL_TXFFLSH | ALL_FIFOS << OTG_GRSTCTL_TXFNUM_POS) || !flush(OTG_GRSTCTL_RXFFLSH)) return false;
    port(0);
    return true;
}

enum spb_text spb_bus_start(void) {
    enum spb_text trouble = spb_usb_clock_start();
    if (trouble != SPB_TEXT_NONE) return trouble;
    SPB_USB_POWER_START();
    spb_wait_ms(OFF_MS);
    SPB_USB_DATA_START();
    SPB_USB_OVERLOAD_START();
    reg_set(CLOCK, SPB_USB_ENABLE);
    (void)reg_read(CLOCK); /* two cycles until the clock runs, RM0351 6.2.19 */
    if (!core_start()) return TEXT("no USB: its core does not start");
    SPB_USB_POWER_WRITE(true);
    return SPB_TEXT_NONE;
}

void spb_bus_stop(void) {
    if (SPB_USB_ULPI && (reg_read(CLOCK) & SPB_USB_ENABLE) != 0 && (reg_read(REG(GINTSTS)) & OTG_GINTSTS_CMOD) != 0) {
        reg_write(REG(HPRT), 0); /* no reset of the core reaches the PHY, which is told by this, and takes some clocks for it */
        spb_wait_ms(1);
    }
    SPB_USB_POWER_WRITE(false);
    reg_pulse(RCC_BASE + SPB_USB_RESET_OFF, SPB_USB_RESET);
    reg_clear(CLOCK, SPB_USB_ENABLE);
    spb_usb_clock_stop();
}

bool spb_bus_connected(void) { return (reg_read(REG(HPRT)) & OTG_HPRT_PCSTS) != 0; }

bool spb_bus_overloaded(void) { return SPB_USB_OVERLOADED(); }

enum spb_text spb_bus_reset(void) {
    port(OTG_HPRT_PRST);
    spb_wait_ms(RESET_MS);
    port(0);
    bool on = spb_wait(REG(HPRT), OTG_HPRT_PENA, OTG_HPRT_PENA, STEP_MS);
    uint32_t speed = (reg_read(REG(HPRT)) & OTG_HPRT_PSPD) >> OTG_HPRT_PSPD_POS;
    if (!on) return TEXT("USB: no answer to a reset");
    if (speed != FULL_SPEED) return TEXT("USB: no stick, but a device at low speed");
    spb_wait_ms(RECOVERY_MS);
    return SPB_TEXT_NONE;
}

/* Bytes of a packet, in the order of the bus. */
struct packet {
    uint8_t *data;
    uint32_t room, len; /* len: of them, for OUT to send, for IN that came, be there room or not */
};

/* One entry of the receive FIFO; false when there is none.  B2 */
static bool receive(struct packet *packet) {
    if ((reg_read(REG(GINTSTS)) & OTG_GINTSTS_RXFLVL) == 0) return false;
    uint32_t status = reg_read(REG(GRXSTSP)), word = 0;
    if ((status & OTG_GRXSTSP_PKTSTSH) >> OTG_GRXSTSP_PKTSTSH_POS != IN_DATA) return true;
    packet->len = (status & OTG_GRXSTSP_BCNT) >> OTG_GRXSTSP_BCNT_POS;
    for (uint32_t i = 0; i < packet->len; i++, word >>= 8) {
        if (i % 4 == 0) word = reg_read(FIFO);
        if (i < packet->room) packet->data[i] = (uint8_t)word;
    }
    return true;
}

/* U3 */
static bool halt(struct packet *packet) {
    uint32_t start = spb_tick_ms(), ask = 0, now;
    while ((reg_read(REG(HCCHAR0)) & OTG_HCCHAR0_CHENA) != 0) {
        now = spb_tick_ms() - start;
        if (now > STEP_MS) return false;
        if (now >= ask) { /* at once, and half way once more */
            ask = now + STEP_MS / 2;
            reg_set(REG(HCCHAR0), OTG_HCCHAR0_CHENA | OTG_HCCHAR0_CHDIS);
        }
        (void)receive(packet);
        spb_port.alive();
    }
    while (receive(packet)) {}
    return true;
}

/* U2 */
static void send(const struct packet *packet) {
    for (uint32_t at = 0; at < packet->len; at += 4) reg_write(FIFO, spb_field_u32(packet->data + at));
}

/* HCINT, how one packet ended; 0: it did not, or its channel did not halt. */
static uint32_t exchange(const struct spb_pipe *pipe, enum spb_way way, struct packet *packet) {
    if ((reg_read(REG(HCCHAR0)) & OTG_HCCHAR0_CHENA) != 0) return 0; /* it did not halt: only a start helps */
    uint32_t size = packet->len, direction = 0, flags, start = spb_tick_ms();
    if (way == SPB_IN) {
        packet->len = 0;
        size = pipe->size;
        direction = OTG_HCCHAR0_EPDIR;
    }
    reg_write(REG(HCINT0), ~0u);
    /* DPID counts as enum spb_next does: RM0090 34.16, HCTSIZ. */
    reg_write(REG(HCTSIZ0), (uint32_t)pipe->next << OTG_HCTSIZ0_DPID_POS | 1u << OTG_HCTSIZ0_PKTCNT_POS | size);
    reg_write(REG(HCCHAR0), OTG_HCCHAR0_CHENA | (uint32_t)pipe->address << OTG_HCCHAR0_DAD_POS | 1u << OTG_HCCHAR0_MCNT_POS |
                                (pipe->endpoint == 0 ? 0 : BULK << OTG_HCCHAR0_EPTYP_POS) | direction |
                                (uint32_t)pipe->endpoint << OTG_HCCHAR0_EPNUM_POS | pipe->size);
    send(packet); /* the FIFO is empty, and so is the queue: there is one channel, and it was halted */
    do {
        (void)receive(packet);
        flags = reg_read(REG(HCINT0)) & ENDED;
        spb_port.alive();
    } while (flags == 0 && spb_tick_ms() - start < PACKET_MS);
    return halt(packet) ? flags : 0;
}

int32_t spb_bus_transfer(struct spb_pipe *pipe, enum spb_way way, uint8_t *data, uint32_t len) {
    uint32_t start = spb_tick_ms(), errors = 0, naks = 0;
    struct packet packet = {data, len, 0};
    do {
        packet.len = spb_lower(packet.room, pipe->size);
        uint32_t flags = exchange(pipe, way, &packet);
        if (flags == 0 || !spb_bus_connected()) return SPB_BUS_GONE;
        if ((flags & OTG_HCINT0_STALL) != 0) return SPB_BUS_STALL;
        if ((flags & (OTG_HCINT0_BBERR | OTG_HCINT0_DTERR)) != 0) break;
        if ((flags & OTG_HCINT0_TXERR) != 0 && ++errors >= ERRORS) break;
        if ((flags & OTG_HCINT0_XFRC) != 0) {
            errors = naks = 0;
            pipe->next ^= SPB_DATA0 ^ SPB_DATA1;
            if (packet.len > packet.room) break;
            packet.data += packet.len;
            packet.room -= packet.len;
            if (packet.room == 0 || packet.len < pipe->size) return (int32_t)(len - packet.room);
        } else if (++naks >= BUSY || pipe->next == SPB_SETUP) {
            spb_wait_ms(naks / BUSY);
        }
    } while (spb_tick_ms() - start <= (pipe->endpoint == 0 ? SPB_BUS_CONTROL_MS : SPB_BUS_BULK_MS));
    return SPB_BUS_FAILED;
}
