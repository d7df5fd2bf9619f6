/* SPDX-License-Identifier: MIT */
/* window_m7.c - see window.h.  A Cortex-M7 reads ahead from normal memory that it may read, and 0x80000000 to 0x9FFFFFFF is
 * normal unless the MPU says otherwise (AN4760, PM0253 4.6).  Not mapped, a read there spoils the command under way; mapped,
 * one beyond the chips locks the bus.
 * V1  Whenever a controller is enabled and not mapped, no access is allowed to any of its window.
 * V2  The region with the highest number decides.  During a call it is ours, in an application, too, unless that has it in use
 *     for other memory; what was in it comes back. */
#include "window.h"

#include "reg.h"

#define CTRL 0xE000ED94u
#define RNR 0xE000ED98u
#define RBAR 0xE000ED9Cu
#define RASR 0xE000EDA0u

#define ON 5u       /* with the default map elsewhere */
#define CTRL_ENABLE 1u
#define RASR_ENABLE 1u
#define RASR_SIZE_POS 1u
#define NEVER_RUN (1u << 28)
#define READ_ONLY (6u << 24)
#define WRITE_THROUGH (1u << 17)
#define LAST_KB_POWER 11u       /* 4 KB */
#define FORBIDDEN(power) (NEVER_RUN | (power) << RASR_SIZE_POS | RASR_ENABLE)
#define WINDOW_POWER 27u        /* 256 MB */

_Static_assert(SPB_EXTERNAL_WINDOW_SIZE == 2u << WINDOW_POWER, "one region");

/* What the region with the highest number was, and the MPU. */
static struct {
    uint32_t control, number, address, rest;
} was;

static void barrier(void) { __asm volatile("dsb\n isb" ::: "memory"); }

static void region(uint32_t number, uint32_t address, uint32_t rest) {
    reg_write(RNR, number);
    reg_write(RASR, 0);
    reg_write(RBAR, address);
    reg_write(RASR, rest);
}

/* After a reset regions hold anything (DDI0403 B3.5.9). */
static void clear(void) {
    reg_write(CTRL, 0);
    for (uint32_t number = SPB_EXTERNAL_MPU_LAST; number > 0; number--) region(number, 0, 0);
}

/* ES0392, memory-mapped read of last memory byte fails: the last bytes lock the bus of STM32H7, so that the last 4 KB are
 * never read there. */
void spb_window_start(void) {
    clear();
    region(0, SPB_EXTERNAL_ADDRESS, FORBIDDEN(WINDOW_POWER));
    region(1, SPB_EXTERNAL_ADDRESS, NEVER_RUN | READ_ONLY | WRITE_THROUGH | SPB_EXTERNAL_SIZE_POWER << RASR_SIZE_POS | RASR_ENABLE);
    if (SPB_EXTERNAL_TIMING) region(2, SPB_EXTERNAL_ADDRESS + SPB_EXTERNAL_SIZE - 0x1000u, FORBIDDEN(LAST_KB_POWER));
    reg_write(CTRL, ON);
    barrier();
}

void spb_window_stop(void) {
    clear();
    region(0, 0, 0);
    barrier();
}

bool spb_window_free(void) { return (reg_read(CTRL) & CTRL_ENABLE) == 0; }

bool spb_window_close(void) {
    was.control = reg_read(CTRL);
    was.number = reg_read(RNR);
    reg_write(RNR, SPB_EXTERNAL_MPU_LAST);
    was.address = reg_read(RBAR);
    was.rest = reg_read(RASR);
    if ((was.rest & RASR_ENABLE) != 0 && was.address / SPB_EXTERNAL_WINDOW_SIZE != SPB_EXTERNAL_ADDRESS / SPB_EXTERNAL_WINDOW_SIZE) {
        reg_write(RNR, was.number);
        return false;
    }
    region(SPB_EXTERNAL_MPU_LAST, SPB_EXTERNAL_ADDRESS, FORBIDDEN(WINDOW_POWER));
    reg_write(CTRL, was.control & CTRL_ENABLE ? was.control : ON);
    barrier();
    return true;
}

void spb_window_open(void) {
    region(SPB_EXTERNAL_MPU_LAST, was.address, was.rest);
    reg_write(RNR, was.number);
    reg_write(CTRL, was.control);
    barrier();
}
