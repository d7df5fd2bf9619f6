/* SPDX-License-Identifier: MIT */
/* quadspi.c - QUADSPI (IP quadspi_v1): one chip on up to four lines, or two in parallel.  RM0351 17, RM0386 13, RM0410 14,
 * RM0399 24.
 * Q1  No register but FCR is written while BUSY is 1: it would take no notice, and an access of the window would then be a bus
 *     fault (17.3.6, 17.5).
 * Q2  ABORT is only set while BUSY is 1: an idle block may hang by it. */
#include "serial.h"

#include <stddef.h>

#include "patience.h"
#include "reg.h"
#include "spb_chip.h"
#include "window.h"

#define CR (SPB_EXTERNAL_BASE + QUADSPI_CR_OFF)
#define DCR (SPB_EXTERNAL_BASE + QUADSPI_DCR_OFF)
#define SR (SPB_EXTERNAL_BASE + QUADSPI_SR_OFF)
#define FCR (SPB_EXTERNAL_BASE + QUADSPI_FCR_OFF)
#define DLR (SPB_EXTERNAL_BASE + QUADSPI_DLR_OFF)
#define CCR (SPB_EXTERNAL_BASE + QUADSPI_CCR_OFF)
#define AR (SPB_EXTERNAL_BASE + QUADSPI_AR_OFF)
#define DR (SPB_EXTERNAL_BASE + QUADSPI_DR_OFF)
#define PSMKR (SPB_EXTERNAL_BASE + QUADSPI_PSMKR_OFF)
#define PSMAR (SPB_EXTERNAL_BASE + QUADSPI_PSMAR_OFF)
#define PIR (SPB_EXTERNAL_BASE + QUADSPI_PIR_OFF)

/* Phases on one line.  On four lines each of their fields is 3, so that they are multiplied by what the protocol has there. */
#define COMMAND (1u << QUADSPI_CCR_IMODE_POS)
#define ADDRESS (1u << QUADSPI_CCR_ADMODE_POS)
#define DATA (1u << QUADSPI_CCR_DMODE_POS)
#define PHASES (COMMAND | ADDRESS | DATA)
#define ADDRESS_SIZE ((SPB_EXTERNAL_ADDRESS_BYTES - 1u) << QUADSPI_CCR_ADSIZE_POS)
#define READING (1u << QUADSPI_CCR_FMODE_POS)
#define POLLING (2u << QUADSPI_CCR_FMODE_POS)
#define MAPPED (3u << QUADSPI_CCR_FMODE_POS)

/* A command that waits for its data: nothing begins by it, nor by what is written to AR. */
#define WAITING (COMMAND | DATA)

#define FLAGS (QUADSPI_FCR_CTEF | QUADSPI_FCR_CTCF | QUADSPI_FCR_CSMF | QUADSPI_FCR_CTOF)
#define INTERRUPTS (QUADSPI_CR_TEIE | QUADSPI_CR_TCIE | QUADSPI_CR_FTIE | QUADSPI_CR_SMIE | QUADSPI_CR_TOIE)
/* What an application may have set that is not for us: its timeout, its DMA, its interrupts. */
#define THEIRS (INTERRUPTS | QUADSPI_CR_DMAEN | QUADSPI_CR_TCEN | QUADSPI_CR_PMM)
/* Samples half a clock late, as it can with one bit a clock; FTHRES stays 0: bit 4 of it cannot be set on F4 and F7. */
#define CONTROL(divider) \
    ((divider) << QUADSPI_CR_PRESCALER_POS | QUADSPI_CR_SSHIFT | (SPB_EXTERNAL_CHIPS > 1 ? QUADSPI_CR_DFM : 0u) | QUADSPI_CR_EN)
#define SELECT_HIGH 4u /* five clocks between commands: 50 ns and more, up to 100 MHz */
#define POLL_EVERY 64u /* clocks */
#define QUAD_LINES 3u

/* CR and CCR that the window is mapped by. */
static struct {
    uint32_t cr, ccr;
} was;

static bool until(uint32_t flag, uint32_t wanted) { return spb_patience(SR, flag, wanted, SPB_PATIENCE_LONGEST); }

/* Q1.  A command begins here if it has no address and sends no data, or else with its first byte of data. */
static bool begin(uint32_t what, uint32_t address, uint32_t len) {
    if (!until(QUADSPI_SR_BUSY, 0)) return false;
    reg_write(FCR, FLAGS);
    reg_write(PSMKR, SPB_EXTERNAL_STATUS_BUSY);     /* what a poll needs */
    reg_write(PSMAR, 0);
    reg_write(PIR, POLL_EVERY);
    reg_write(DLR, len - 1);
    uint32_t lines = was.ccr / COMMAND % 4u;
    reg_write(CCR, (what & ~PHASES) | (what & PHASES) * lines | ADDRESS_SIZE);
    if (what & ADDRESS) reg_write(AR, address);
    return true;
}

static bool done(void) { return until(QUADSPI_SR_TCF, QUADSPI_SR_TCF); }

/* By bytes, each of which waits for room (17.5.8): the lines are slower. */
static bool send(uint32_t what, uint32_t address, const uint8_t *data, uint32_t len) {
    if (!begin(what, address, len)) return false;
    while (len-- > 0) *(volatile uint8_t *)DR = *data++;
    return done();
}

bool spb_serial_command(uint32_t op) { return send(op | COMMAND, 0, NULL, 0); }

bool spb_serial_write(uint32_t op, uint32_t address, const uint8_t *data, uint32_t len) {
    return send(op | COMMAND | ADDRESS | (len > 0 ? DATA : 0u), address, data, len);
}

bool spb_serial_quad(void) { return was.ccr / COMMAND % 4u == QUAD_LINES; }

/* All of it fits the FIFO. */
struct spb_serial_answer spb_serial_read(uint32_t op, uint32_t len) {
    struct spb_serial_answer answer;
    len *= SPB_EXTERNAL_CHIPS;
    bool ok = begin(op | COMMAND | DATA | READING, 0, len) && done();
    for (uint32_t chip = 0; chip < SPB_EXTERNAL_CHIPS; chip++) answer.of[chip] = ok ? 0 : UINT32_MAX;
    for (uint32_t i = 0; ok && i < len; i++) {
        uint32_t *of = &answer.of[i % SPB_EXTERNAL_CHIPS];
        *of = *of << 8 | *(volatile uint8_t *)DR;
    }
    return answer;
}

/* What goes on ends. */
static void break_off(void) {
    if ((reg_read(SR) & QUADSPI_SR_BUSY) == 0) return; /* Q2 */
    reg_set(CR, QUADSPI_CR_ABORT);
    (void)spb_patience(CR, QUADSPI_CR_ABORT, 0, SPB_PATIENCE_LONGEST);
    (void)until(QUADSPI_SR_BUSY, 0);
}

bool spb_serial_idle(uint32_t cycles) {
    if (!begin(SPB_EXTERNAL_STATUS | COMMAND | DATA | POLLING, 0, SPB_EXTERNAL_CHIPS)) return false;
    if (spb_patience(SR, QUADSPI_SR_SMF, QUADSPI_SR_SMF, cycles)) return true;
    break_off();
    return false;
}

/* ES0392 and ES0445, QUADSPI internal timing criticality: after a reset of STM32H7, and whenever the memory-mapped mode was
 * left.  The five stores are within 127 clocks of the block: in one line of the cache, no interrupt between them. */
static void settle(void) {
    if (!SPB_EXTERNAL_TIMING) return;
    uint32_t primask;
    reg_write(CR, 0);
    (void)until(QUADSPI_SR_BUSY, 0);
    __asm volatile(".syntax unified\n"
                   "mrs %[primask], primask\n"
                   "cpsid i\n"
                   "dsb\n"
                   "b 1f\n"
                   ".balign 32\n"
                   "1: str %[on], [%[block]]\n"
                   "str %[free], [%[block], #0x14]\n"
                   "str %[free], [%[block], #0x14]\n"
                   "str %[off], [%[block]]\n"
                   "dsb\n"
                   "msr primask, %[primask]\n"
                   : [primask] "=&r"(primask)
                   : [on] "r"(0xFF000001u), [free] "r"(0x20000000u), [off] "r"(0u), [block] "r"(SPB_EXTERNAL_BASE)
                   : "memory");
    (void)until(QUADSPI_SR_BUSY, 0);
}

void spb_serial_start(void) {
    spb_window_start();
    (void)spb_window_close();
    reg_set(RCC_BASE + SPB_EXTERNAL_ENABLE_OFF, SPB_EXTERNAL_ENABLE);
    (void)reg_read(RCC_BASE + SPB_EXTERNAL_ENABLE_OFF); /* two cycles until the clock runs, RM0351 6.2.19 */
    reg_write(DCR, SPB_EXTERNAL_SIZE_POWER << QUADSPI_DCR_FSIZE_POS | SELECT_HIGH << QUADSPI_DCR_CSHT_POS);
    settle();
    reg_write(CR, CONTROL(SPB_EXTERNAL_SLOW_DIVIDER) | QUADSPI_CR_APMS);
    was.cr = CONTROL(SPB_EXTERNAL_DIVIDER);
}

/* The last one is what the window is mapped by, too. */
void spb_serial_protocol(enum spb_protocol protocol) {
    was.ccr = QUAD_LINES * COMMAND;
    if (protocol == SPB_PROTOCOL_SINGLE) {
        was.ccr = SPB_EXTERNAL_READ | PHASES | ADDRESS_SIZE | SPB_EXTERNAL_DUMMY << QUADSPI_CCR_DCYC_POS | MAPPED;
    }
}

void spb_serial_stop(void) {
    (void)spb_window_close();
    reg_pulse(RCC_BASE + SPB_EXTERNAL_RESET_OFF, SPB_EXTERNAL_RESET);
    reg_clear(RCC_BASE + SPB_EXTERNAL_ENABLE_OFF, SPB_EXTERNAL_ENABLE);
    spb_window_stop();
}

/* By a command on one line, or on four, with each read: frames on two lines have no chip that takes them, and a chip in a read
 * that goes on takes none. */
bool spb_serial_mapped(void) {
    if ((reg_read(RCC_BASE + SPB_EXTERNAL_ENABLE_OFF) & SPB_EXTERNAL_ENABLE) == 0) return false;
    if ((reg_read(CR) & QUADSPI_CR_EN) == 0) return false;
    uint32_t ccr = reg_read(CCR);
    return (ccr & (MAPPED | COMMAND | QUADSPI_CCR_SIOO)) == (MAPPED | COMMAND);
}

bool spb_serial_open(void) {
    if (!spb_serial_mapped() || !spb_window_close()) return false;
    was.cr = reg_read(CR);
    was.ccr = reg_read(CCR);
    break_off();
    reg_write(CCR, WAITING);
    settle();
    reg_write(CR, (was.cr & ~THEIRS) | QUADSPI_CR_APMS);
    return true;
}

/* ES0250, ES0335, and those of F4 and F7, wrong data from
 * memory-mapped read after an indirect mode operation: AR is 0 whenever the window is mapped. */
void spb_serial_close(void) {
    (void)until(QUADSPI_SR_BUSY, 0);
    reg_write(FCR, FLAGS);
    reg_write(CCR, WAITING);
    reg_write(AR, 0);
    reg_write(CR, was.cr);
    reg_write(CCR, was.ccr);
    spb_window_open();
}
