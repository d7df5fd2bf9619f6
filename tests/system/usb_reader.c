/* usb_reader.c - reads a flash drive for a test, which writes into a box in RAM what it wants. */
#include "bus.h"
#include "clock.h"
#include "disk.h"
#include "line.h"
#include "port.h"
#include "reg.h"
#include "tick.h"
#include "usart.h"
#include "watchdog.h"

enum { OPEN, CLOSE, SECTORS, READ_SECTORS, POKE, LEAVE };

/* In the order of usb_rig.py. */
static volatile struct {
    uint32_t call, first, count, result, fault, alive, stack;
} box __attribute__((section(".box")));
static uint8_t data[8 * SPB_SECTOR_SIZE + 8] __attribute__((section(".data_of_test"), aligned(4)));

static void alive(void) {
    box.alive++;
    spb_watchdog_feed();
    (void)spb_tick_ms();
}

const struct spb_port spb_port = {.alive = alive};

uint32_t spb_line_ms(void) { return spb_tick_ms(); }

/* There is no console. */
void spb_usart_drain(void) {}

/* As whoever waits for a stick does. */
static enum spb_text open_disk(uint32_t wait_ms) {
    enum spb_text trouble = spb_disk_start();
    uint32_t start = spb_line_ms();
    while (trouble == SPB_TEXT_NONE && !spb_disk_present()) {
        alive();
        if (spb_line_ms() - start > wait_ms) trouble = TEXT("no USB stick");
    }
    return trouble != SPB_TEXT_NONE ? trouble : spb_disk_open();
}

static uint32_t call(uint32_t what, uint32_t first, uint32_t count) {
    switch (what) {
    case OPEN: return open_disk(first);
    case CLOSE: spb_disk_stop(); spb_clock_stop(); return 0;
    case LEAVE: spb_disk_stop(); return 0;
    case SECTORS: return spb_disk_sectors();
    case POKE: reg_write(first, count); return 0;
    default:
        for (uint32_t i = 0; i < count; i++) {
            if (!spb_disk_read(first + i, data + i * SPB_SECTOR_SIZE)) return i;
        }
        return count;
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
        box.result = call(box.call - 1, box.first, box.count);
        box.call = 0;
    }
}

/* The supply is chosen before RAM is written. */
__attribute__((naked)) static void reset(void) { __asm volatile("bl spb_power_first\n b run"); }

__attribute__((noreturn)) static void fault(void) {
    box.fault = 1;
    for (;;) {}
}

__attribute__((section(".vectors"), used)) void (*const vectors[16])(void) = {
    stack_end, reset, fault, fault, fault, fault, fault,
};
