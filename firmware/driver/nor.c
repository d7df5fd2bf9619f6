/* SPDX-License-Identifier: MIT */
/* nor.c - what is asked of serial NOR chips, through whichever controller (serial.h): opcodes, times and id are those of the
 * board's chip (src/spboot/chips/nor).  The order of a start from any state, and why, is in docs/decisions/0081. */
#include <stddef.h>

#include "bytes.h"
#include "cache.h"
#include "external_flash.h"
#include "patience.h"
#include "pins.h"
#include "reg.h"
#include "serial.h"
#include "spb_chip.h"
#include "window.h"

#define ID_SIZE 3u
#define SLICE_US 4000u /* at the highest clock of the core; patience.h counts twice */
#define SLICES (SPB_EXTERNAL_LONGEST_MS / 2u + 2u)

/* The bootloader has started it, for itself or for a call: nobody else reads the window. */
static bool alone;

/* The register is any: its value does not matter. */
static void pause(uint32_t us) { (void)spb_patience(SPB_EXTERNAL_BASE, 0, 1, SPB_PATIENCE_US(us)); }

static bool idle(void) { return spb_serial_idle(SPB_PATIENCE_LONGEST); }

/* X6.  Interrupts are as they were again by the window's return. */
static uint32_t primask;

static void hold_interrupts(void) {
    if (SPB_EXTERNAL_SLICES) __asm volatile("mrs %0, primask\n cpsid i" : "=r"(primask)::"memory");
}

static void let_interrupts(void) {
    if (SPB_EXTERNAL_SLICES) __asm volatile("msr primask, %0" ::"r"(primask) : "memory");
}

uint32_t spb_external_id(void) {
    uint32_t op = SPB_EXTERNAL_READ_ID_QUAD && spb_serial_quad() ? SPB_EXTERNAL_READ_ID_QUAD : SPB_EXTERNAL_READ_ID;
    struct spb_serial_answer id = spb_serial_read(op, ID_SIZE);
    return id.of[0] == SPB_EXTERNAL_ID ? id.of[SPB_EXTERNAL_CHIPS - 1] : id.of[0];
}

/* A register of one byte, those of two chips side by side. */
static uint32_t reg_of(uint32_t op) {
    struct spb_serial_answer answer = spb_serial_read(op, 1);
    return SPB_EXTERNAL_CHIPS == 1 ? answer.of[0] : answer.of[0] | answer.of[SPB_EXTERNAL_CHIPS - 1] << 8;
}

static void end(void) {
    spb_serial_close();
    let_interrupts();
}

static bool away(void) {
    hold_interrupts();
    if (spb_serial_open()) return true;
    let_interrupts();
    return false;
}

/* X3 */
static bool begin(void) {
    if (!away()) return false;
    if (spb_external_id() == SPB_EXTERNAL_ID) return true;
    end();
    return false;
}

/* A chip that failed, or that somebody left suspended, says so by its flags, whatever the status is. */
static bool good(void) {
    if ((reg_of(SPB_EXTERNAL_FLAGS) & SPB_EXTERNAL_FLAGS_BAD) == 0) return true;
    if (SPB_EXTERNAL_CLEAR_FLAGS) (void)spb_serial_command(SPB_EXTERNAL_CLEAR_FLAGS);
    return false;
}

static void reset(void) {
    (void)spb_serial_command(SPB_EXTERNAL_RESET_UNLOCK);
    (void)spb_serial_command(SPB_EXTERNAL_RESET_COMMAND);
}

/* From a reset.  Meanwhile the status reads as busy: nobody drives the line, which is pulled up. */
static bool recovered(void) {
    pause(SPB_EXTERNAL_RESET_US);
    return idle();
}

/* X6.  What goes on is suspended for as long as it runs, time and again.  To suspend what has just ended does nothing, nor has
 * a resume then; an erase goes on only if it runs for half a millisecond and more (MX25R6435F, MX25LM51245G). */
static bool sliced(void) {
    for (uint32_t left = SLICES; left > 0; left--) {
        if (spb_serial_idle(SPB_PATIENCE_US(SLICE_US / 2))) return true;
        if (!spb_serial_command(SPB_EXTERNAL_SUSPEND) || !idle()) break;
        end();
        pause(SLICE_US / 2);
        if (!away()) break;
        (void)spb_serial_command(SPB_EXTERNAL_RESUME);
    }
    return false;
}

/* A chip that stays busy is reset, so that it can be read again; in an application, too, which has to set it up anew.  Only the
 * erase of a block takes more than one of the waits, and nothing else waits for so long. */
static bool finished(uint32_t op) {
    for (uint32_t left = SPB_BLOCK > 0 && op == SPB_EXTERNAL_ERASE_BLOCK ? SPB_EXTERNAL_BLOCK_WAITS : 1; left > 0; left--) {
        if (SPB_EXTERNAL_SLICES && !alone ? sliced() : idle()) return good();
    }
    reset();
    (void)recovered();
    return false;
}

/* The chips are asked whether they take it: nobody else says so. */
static bool enabled(void) {
    return spb_serial_command(SPB_EXTERNAL_WRITE_ENABLE) &&
           (reg_of(SPB_EXTERNAL_STATUS) & (SPB_EXTERNAL_STATUS_WRITABLE | SPB_EXTERNAL_STATUS_BUSY)) == SPB_EXTERNAL_STATUS_WRITABLE;
}

/* Program the len bytes at off, which are of one page, or, without data, erase them.  Offsets are those from the start of
 * internal flash (core/flash.h), which is a multiple of all pages, and so is the window's: the chip counts from there. */
static enum spb_status change(uint32_t op, uint32_t off, const uint8_t *data, uint32_t len) {
    enum spb_status status = SPB_E_FLASH_ERROR;
    if (begin()) {
        status = data != NULL ? SPB_E_SECTION_WRITE_FAILURE : SPB_E_SECTION_ERASE_FAILURE;
        if (enabled() && spb_serial_write(op, off - SPB_EXTERNAL_OFF, data, data != NULL ? len : 0) && finished(op)) status = SPB_OK;
        end();
    }
    if (SPB_DATA_CACHE) spb_cache_drop(SPB_FLASH_ADDRESS + off, len);
    return status;
}

static enum spb_status erase(uint32_t off) { return change(SPB_EXTERNAL_ERASE, off, NULL, SPB_EXTERNAL_UNIT); }

enum spb_status spb_external_erase_block(uint32_t off) { return change(SPB_EXTERNAL_ERASE_BLOCK, off, NULL, SPB_BLOCK); }

/* By pages: what is sent beyond the end of one lands at its start. */
static enum spb_status program(uint32_t off, const uint8_t *data, uint32_t len) {
    enum spb_status status = SPB_OK;
    for (uint32_t step; len > 0 && status == SPB_OK; off += step, data += step, len -= step) {
        step = spb_lower(len, SPB_EXTERNAL_PAGE - off % SPB_EXTERNAL_PAGE);
        status = change(SPB_EXTERNAL_PROGRAM, off, data, step);
    }
    return status;
}

static const uint8_t *map(uint32_t off) { return (const uint8_t *)(SPB_FLASH_ADDRESS + off); }

static bool read(uint32_t off, uint32_t *to, uint32_t len) {
    if (!spb_serial_mapped()) return false;
    for (uint32_t at = 0; at < len; at += 4) *to++ = reg_read(SPB_FLASH_ADDRESS + off + at);
    return true;
}

/* The bits protect blocks from one end on; with any of them set nothing counts as writable.  A chip that cannot be asked is
 * no protected one: the first erase says what is wrong. */
static bool writable(uint32_t off, uint32_t len) {
    (void)off;
    (void)len;
    if (!begin()) return true;
    uint32_t status = reg_of(SPB_EXTERNAL_STATUS);
    end();
    return (status & SPB_EXTERNAL_STATUS_PROTECTED) == 0;
}

/* In one protocol: awake, no read that goes on without a command, and reset.  A chip in another protocol takes no notice. */
static void restart(enum spb_protocol protocol) {
    spb_serial_protocol(protocol);
    if (SPB_EXTERNAL_WAKE) {
        (void)spb_serial_command(SPB_EXTERNAL_WAKE);
        pause(SPB_EXTERNAL_WAKE_US);
    }
    if (SPB_EXTERNAL_END_CONTINUOUS) (void)spb_serial_command(SPB_EXTERNAL_END_CONTINUOUS);
    reset();
}

enum spb_text spb_external_start(void) {
    if (SPB_EXTERNAL_SLICES) alone = true;
    static const uint16_t pins[] = SPB_EXTERNAL_PINS;
    spb_pins(pins, sizeof pins / sizeof pins[0], SPB_PULL_UP); /* lines that nobody drives read as ones */
    spb_serial_start();
    if (SPB_EXTERNAL_DOUBLE_RESET) restart(SPB_PROTOCOL_DOUBLE);
    if (SPB_EXTERNAL_OCTAL_RESET) restart(SPB_PROTOCOL_OCTAL);
    if (SPB_EXTERNAL_QUAD_RESET) restart(SPB_PROTOCOL_QUAD);
    restart(SPB_PROTOCOL_SINGLE);
    if (!recovered()) return TEXT("external flash does not answer, or stays busy");
    if (spb_external_id() != SPB_EXTERNAL_ID) return TEXT("external flash is another one");
    if (!good()) return TEXT("external flash: failed or suspended, and its reset does not end that");
    spb_serial_close();
    return SPB_TEXT_NONE;
}

bool spb_external_mapped(void) { return spb_serial_mapped(); }

bool spb_external_unused(void) { return !spb_serial_mapped() && spb_window_free(); }

void spb_external_stop(void) {
    spb_serial_stop();
    if (SPB_EXTERNAL_SLICES) alone = false;
}

const struct spb_flash spb_external_flash = {
    .erase = erase,
    .program = program,
    .map = map,
    .read = read,
    .writable = writable,
};
