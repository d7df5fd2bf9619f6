/* external.c - calls the driver of external flash for a test, which writes into a box in RAM what it wants. */
#include "clock.h"
#include "external_flash.h"
#include "internal_flash.h"
#include "port.h"
#include "reg.h"
#include "tick.h"
#include "watchdog.h"

enum { START, STOP, ERASE, PROGRAM, READ, WRITABLE, LOAD, ID, MAPPED, POKE, PEEK, TICK, LEAVE, BLOCK };

/* In the order of external_rig.py. */
static volatile struct {
    uint32_t call, off, len, result, fault, alive, ticks, seen;
} box __attribute__((section(".box")));
static uint32_t data[256] __attribute__((section(".data_of_test")));

static void alive(void) {
    box.alive++;
    spb_watchdog_feed();
    (void)spb_tick_ms();
}

const struct spb_port spb_port = {.alive = alive};

static uint32_t load(uint32_t off, uint32_t len) {
    const uint8_t *from = spb_external_flash.map(SPB_EXTERNAL_OFF + off);
    for (uint32_t i = 0; i < len; i++) ((uint8_t *)data)[i] = from[i];
    return 0;
}

static uint32_t call(uint32_t what, uint32_t off, uint32_t len) {
    const struct spb_flash *flash = &spb_external_flash;
    switch (what) {
    case START: return spb_external_start();
    case STOP: spb_external_stop(); spb_clock_stop(); return 0;
    case ERASE: return flash->erase(SPB_EXTERNAL_OFF + off);
    case BLOCK: return spb_external_erase_block(SPB_EXTERNAL_OFF + off);
    case PROGRAM: return flash->program(SPB_EXTERNAL_OFF + off, (const uint8_t *)data, len);
    case READ: return flash->read(SPB_EXTERNAL_OFF + off, data, len);
    case WRITABLE: return flash->writable(off, len);
    case LOAD: return load(off, len);
    case ID: return spb_external_id();
    case MAPPED: return spb_external_mapped();
    case LEAVE: spb_external_stop(); return 0;
    case TICK: /* a word of the window is read each millisecond */
        reg_write(0xE000E014u, SPB_CLOCK_HZ / 1000u - 1u);
        reg_write(0xE000E010u, 7u);
        return 0;
    case POKE: reg_write(off, len); return 0;
    default: return reg_read(off);
    }
}

void stack_end(void); /* a place, as all in the table */
__attribute__((noreturn, used)) static void run(void) {
    box.call = 0;
    box.fault = 0;
    spb_clock_start();
    spb_tick_start();
    for (;;) {
        while (box.call == 0) {}
        box.result = call(box.call - 1, box.off, box.len);
        box.call = 0;
    }
}

/* The supply is chosen before RAM is written. */
__attribute__((naked)) static void reset(void) { __asm volatile("bl spb_power_first\n b run"); }

__attribute__((noreturn)) static void fault(void) {
    box.fault = 1;
    for (;;) {}
}

/* Of an application: it has code or data out there. */
static void tick(void) {
    box.seen = reg_read(SPB_EXTERNAL_ADDRESS);
    box.ticks++;
}

__attribute__((section(".vectors"), used)) void (*const vectors[16])(void) = {
    stack_end, reset, fault, fault, fault, fault, fault, [15] = tick,
};
