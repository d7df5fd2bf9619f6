/* SPDX-License-Identifier: MIT */
/* octospi.c - OCTOSPI (IP octospi_v1, octospi_v2) and its IO manager (octospim_v1): one chip on one line, on four or on eight.
 * RM0432 19 and 20, RM0438 20.
 * O1  No register but FCR is written while BUSY is 1.
 * O2  ABORT is only set while BUSY is 1. */
#include "serial.h"

#include <stddef.h>

#include "patience.h"
#include "reg.h"
#include "spb_chip.h"

#define CR (SPB_EXTERNAL_BASE + OCTOSPI_CR_OFF)
#define DCR1 (SPB_EXTERNAL_BASE + OCTOSPI_DCR1_OFF)
#define DCR2 (SPB_EXTERNAL_BASE + OCTOSPI_DCR2_OFF)
#define SR (SPB_EXTERNAL_BASE + OCTOSPI_SR_OFF)
#define FCR (SPB_EXTERNAL_BASE + OCTOSPI_FCR_OFF)
#define DLR (SPB_EXTERNAL_BASE + OCTOSPI_DLR_OFF)
#define AR (SPB_EXTERNAL_BASE + OCTOSPI_AR_OFF)
#define DR (SPB_EXTERNAL_BASE + OCTOSPI_DR_OFF)
#define PSMKR (SPB_EXTERNAL_BASE + OCTOSPI_PSMKR_OFF)
#define PSMAR (SPB_EXTERNAL_BASE + OCTOSPI_PSMAR_OFF)
#define PIR (SPB_EXTERNAL_BASE + OCTOSPI_PIR_OFF)
#define CCR (SPB_EXTERNAL_BASE + OCTOSPI_CCR_OFF)
#define TCR (SPB_EXTERNAL_BASE + OCTOSPI_TCR_OFF)
#define IR (SPB_EXTERNAL_BASE + OCTOSPI_IR_OFF)

/* Phases on one line.  On four or eight each of their fields is 3 or 4: they are multiplied by what the protocol has there. */
#define COMMAND (1u << OCTOSPI_CCR_IMODE_POS)
#define ADDRESS (1u << OCTOSPI_CCR_ADMODE_POS)
#define DATA (1u << OCTOSPI_CCR_DMODE_POS)
#define FOUR 3u
#define EIGHT 4u
#define ADDRESS_SIZE ((SPB_EXTERNAL_ADDRESS_BYTES - 1u) << OCTOSPI_CCR_ADSIZE_POS)
#define TWO_BYTES (1u << OCTOSPI_CCR_ISIZE_POS) /* of command: its second one is the first one inverted */
#define DOUBLE (OCTOSPI_CCR_IDTR | OCTOSPI_CCR_ADDTR | OCTOSPI_CCR_DDTR) /* the last one without data as well, for DHQC */

#define WRITING 0u
#define READING (1u << OCTOSPI_CR_FMODE_POS)
#define POLLING (2u << OCTOSPI_CR_FMODE_POS)
#define MAPPED (3u << OCTOSPI_CR_FMODE_POS)

#define FLAGS (OCTOSPI_FCR_CTEF | OCTOSPI_FCR_CTCF | OCTOSPI_FCR_CSMF | OCTOSPI_FCR_CTOF)
#define INTERRUPTS (OCTOSPI_CR_TEIE | OCTOSPI_CR_TCIE | OCTOSPI_CR_FTIE | OCTOSPI_CR_SMIE | OCTOSPI_CR_TOIE)
/* What an application may have set that is not for us: its timeout, its DMA, its interrupts; and the mode. */
#define THEIRS (INTERRUPTS | OCTOSPI_CR_DMAEN | OCTOSPI_CR_TCEN | OCTOSPI_CR_PMM | OCTOSPI_CR_FMODE)
#define MACRONIX (1u << OCTOSPI_DCR1_MTYP_POS) /* the order of bytes with two bits a clock; else it does not matter */
#define SELECT_HIGH 4u                         /* five clocks between commands: 50 ns and more, up to 100 MHz */
#define POLL_EVERY 64u                         /* clocks */
#define REGISTER_DUMMY 4u                      /* clocks before a register on eight lines, one more with two bits a clock */

/* What the window is mapped by. */
static struct {
    uint32_t cr, dcr2, ccr, tcr, ir;
} was;

static bool until(uint32_t flag, uint32_t wanted) { return spb_patience(SR, flag, wanted, SPB_PATIENCE_LONGEST); }

static uint32_t lines(void) { return was.ccr / COMMAND % 8u; }
static bool doubled(void) { return (was.ccr & OCTOSPI_CCR_DDTR) != 0; }

/* O1.  A command begins with the last thing that it needs: itself, its address, or its first byte of data. */
static bool begin(uint32_t mode, uint32_t op, uint32_t phases, uint32_t address, uint32_t len) {
    uint32_t timing = doubled() ? OCTOSPI_TCR_DHQC : OCTOSPI_TCR_SSHIFT;
    if (!until(OCTOSPI_SR_BUSY, 0)) return false;
    reg_write(FCR, FLAGS);
    reg_write(PSMKR, SPB_EXTERNAL_STATUS_BUSY);     /* what a poll needs */
    reg_write(PSMAR, 0);
    reg_write(PIR, POLL_EVERY);
    reg_write(CR, (was.cr & ~THEIRS) | OCTOSPI_CR_APMS | mode);
    if (lines() == EIGHT) {
        op = op << 8 | (op ^ 0xFFu);
        if (mode != WRITING) {
            phases |= ADDRESS;
            timing |= REGISTER_DUMMY + doubled();
            len *= 1u + doubled();
        }
    }
    reg_write(DLR, len - 1);
    reg_write(TCR, timing);
    reg_write(CCR, (was.ccr & (TWO_BYTES | DOUBLE)) | phases * lines() | ADDRESS_SIZE |
                       (mode != WRITING ? was.ccr & OCTOSPI_CCR_DQSE : 0u));
    reg_write(IR, op);
    if (phases & ADDRESS) reg_write(AR, address);
    return true;
}

static bool done(void) { return until(OCTOSPI_SR_TCF, OCTOSPI_SR_TCF); }

/* By bytes, each of which waits for room: the lines are slower. */
static bool send(uint32_t op, uint32_t phases, uint32_t address, const uint8_t *data, uint32_t len) {
    if (!begin(WRITING, op, phases, address, len)) return false;
    while (len-- > 0) *(volatile uint8_t *)DR = *data++;
    return done();
}

bool spb_serial_command(uint32_t op) { return send(op, COMMAND, 0, NULL, 0); }

bool spb_serial_write(uint32_t op, uint32_t address, const uint8_t *data, uint32_t len) {
    return send(op, COMMAND | ADDRESS | (len > 0 ? DATA : 0u), address, data, len);
}

bool spb_serial_quad(void) { return lines() == FOUR; }

/* All of it fits the FIFO.  With two bits a clock each byte of a register comes twice. */
struct spb_serial_answer spb_serial_read(uint32_t op, uint32_t len) {
    bool ok = begin(READING, op, COMMAND | DATA, 0, len) && done();
    struct spb_serial_answer answer = {{ok ? 0 : UINT32_MAX}};
    for (; ok && len > 0; len--) {
        answer.of[0] = answer.of[0] << 8 | *(volatile uint8_t *)DR;
        if (doubled()) (void)*(volatile uint8_t *)DR;
    }
    return answer;
}

/* What goes on ends. */
static void break_off(void) {
    if ((reg_read(SR) & OCTOSPI_SR_BUSY) == 0) return; /* O2 */
    reg_set(CR, OCTOSPI_CR_ABORT);
    (void)spb_patience(CR, OCTOSPI_CR_ABORT, 0, SPB_PATIENCE_LONGEST);
    (void)until(OCTOSPI_SR_BUSY, 0);
}

bool spb_serial_idle(uint32_t cycles) {
    if (!begin(POLLING, SPB_EXTERNAL_STATUS, COMMAND | DATA, 0, 1)) return false;
    if (spb_patience(SR, OCTOSPI_SR_SMF, OCTOSPI_SR_SMF, cycles)) return true;
    break_off();
    return false;
}

/* The other port first: writes work while one controller is at two of them, reads do not (RM0432 20.3). */
static void route(void) {
    uint32_t other = SPB_EXTERNAL_PORT1 ? SPB_EXTERNAL_MANAGER + 8u : SPB_EXTERNAL_MANAGER + 4u;
    if (!SPB_EXTERNAL_ROUTED) return;
    reg_set(RCC_BASE + SPB_EXTERNAL_MANAGER_ENABLE_OFF, SPB_EXTERNAL_MANAGER_ENABLE);
    (void)reg_read(RCC_BASE + SPB_EXTERNAL_MANAGER_ENABLE_OFF);
    reg_write(other, 0);
    reg_write(SPB_EXTERNAL_PORT1 ? SPB_EXTERNAL_MANAGER + 4u : SPB_EXTERNAL_MANAGER + 8u, SPB_EXTERNAL_PORT1 | SPB_EXTERNAL_PORT2);
}

void spb_serial_start(void) {
    route();
    reg_set(RCC_BASE + SPB_EXTERNAL_ENABLE_OFF, SPB_EXTERNAL_ENABLE);
    (void)reg_read(RCC_BASE + SPB_EXTERNAL_ENABLE_OFF); /* two cycles until the clock runs, RM0432 6.2.19 */
    reg_write(DCR1, MACRONIX | SPB_EXTERNAL_SIZE_POWER << OCTOSPI_DCR1_DEVSIZE_POS | SELECT_HIGH << OCTOSPI_DCR1_CSHT_POS |
                        OCTOSPI_DCR1_DLYBYP);
    reg_write(DCR2, SPB_EXTERNAL_SLOW_DIVIDER << OCTOSPI_DCR2_PRESCALER_POS);
    was.cr = OCTOSPI_CR_EN | MAPPED;
    was.dcr2 = SPB_EXTERNAL_DIVIDER << OCTOSPI_DCR2_PRESCALER_POS;
    reg_write(CR, OCTOSPI_CR_EN);
}

/* The last one is what the window is mapped by, too. */
void spb_serial_protocol(enum spb_protocol protocol) {
    was.tcr = OCTOSPI_TCR_SSHIFT | SPB_EXTERNAL_DUMMY;
    was.ir = SPB_EXTERNAL_READ;
    was.ccr = COMMAND | ADDRESS | DATA | ADDRESS_SIZE;
    if (protocol == SPB_PROTOCOL_QUAD) was.ccr = COMMAND * FOUR;
    if (protocol == SPB_PROTOCOL_OCTAL) was.ccr = COMMAND * EIGHT | TWO_BYTES;
    if (protocol == SPB_PROTOCOL_DOUBLE) was.ccr = COMMAND * EIGHT | TWO_BYTES | DOUBLE;
}

void spb_serial_stop(void) {
    reg_pulse(RCC_BASE + SPB_EXTERNAL_RESET_OFF, SPB_EXTERNAL_RESET);
    reg_clear(RCC_BASE + SPB_EXTERNAL_ENABLE_OFF, SPB_EXTERNAL_ENABLE);
    if (!SPB_EXTERNAL_ROUTED) return;
    reg_pulse(RCC_BASE + SPB_EXTERNAL_MANAGER_RESET_OFF, SPB_EXTERNAL_MANAGER_RESET);
    reg_clear(RCC_BASE + SPB_EXTERNAL_MANAGER_ENABLE_OFF, SPB_EXTERNAL_MANAGER_ENABLE);
}

/* By a command with each read: a chip in a read that goes on takes no frame.  None takes a command on two lines. */
bool spb_serial_mapped(void) {
    if ((reg_read(RCC_BASE + SPB_EXTERNAL_ENABLE_OFF) & SPB_EXTERNAL_ENABLE) == 0) return false;
    if ((reg_read(CR) & (MAPPED | OCTOSPI_CR_EN)) != (MAPPED | OCTOSPI_CR_EN)) return false;
    uint32_t ccr = reg_read(CCR), command = ccr / COMMAND % 8u;
    return (ccr & OCTOSPI_CCR_SIOO) == 0 && command != 0 && command != 2;
}

bool spb_serial_open(void) {
    if (!spb_serial_mapped()) return false;
    was.cr = reg_read(CR);
    was.dcr2 = reg_read(DCR2);
    was.ccr = reg_read(CCR);
    was.tcr = reg_read(TCR);
    was.ir = reg_read(IR);
    break_off();
    reg_clear(CR, OCTOSPI_CR_FMODE); /* of what else is there nothing changes while that is mapped */
    return true;
}

void spb_serial_close(void) {
    (void)until(OCTOSPI_SR_BUSY, 0);
    reg_write(FCR, FLAGS);
    reg_write(DCR2, was.dcr2);
    reg_write(CR, was.cr & ~OCTOSPI_CR_FMODE);
    reg_write(TCR, was.tcr);
    reg_write(CCR, was.ccr);
    reg_write(IR, was.ir);
    reg_write(CR, was.cr);
}
