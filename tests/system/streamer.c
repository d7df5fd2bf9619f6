/* SPDX-License-Identifier: MIT */
/* streamer.c - an application that takes an update off its UART by DMA: a circular buffer, half and complete interrupts,
 * and that of an idle line for the end.  The main loop hands what has come to SE_PATCH_Data, which blocks while flash is
 * erased; the DMA goes on meanwhile.  What it says it sends by DMA, too.
 * Given beside what dma.h wants: RING (bytes), IRQ_RX, IRQ_UART, STATUS, IDLE_CLEAR, CR1_AT, DMA_CLOCK, DMA_H. */
#include "bare.h"
#include "cortex.h"
#include "demo_version.h"
#include "reg.h"
#include "spb_chip.h"
#include "spboot/spboot.h"

static uint8_t ring[RING] __attribute__((aligned(32)));
static uint32_t items[64] __attribute__((aligned(256)));
static char line[80];

#define REG(address) (*(volatile uint32_t *)(address))
#define BUFFER ((uint32_t)ring)
#define ITEMS ((uint32_t)items)
#include DMA_H

#define IDLE 0x10u
#define LINES 120

static volatile uint32_t produced, halves, wholes, idles;
static uint32_t seen;

/* How far the DMA has come since the last look. */
static void look(void) {
    uint32_t now = (RING - LEFT(RX)) % RING;
    produced += (now + RING - seen) % RING;
    seen = now;
}

static void external(void) {
    uint32_t now = flags(RX);
    if (now != 0) clear(RX);
    halves += now >> 1 & 1u;
    wholes += now & 1u;
    if (REG(STATUS) & IDLE) {
        IDLE_CLEAR;
        idles++;
    }
    look();
}

static uint32_t append(uint32_t at, const char *text) {
    while (*text != '\0' && at < sizeof line) line[at++] = *text++;
    return at;
}

static uint32_t append_number(uint32_t at, const char *name, uint32_t value) {
    char digits[10];
    uint32_t count = 0;
    at = append(at, name);
    do digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    while (count > 0 && at < sizeof line) line[at++] = digits[--count];
    return at;
}

static void say(uint32_t length) {
    end(TX);
    clear(TX);
    transmit((uint32_t)line, length, 0);
    while ((flags(TX) & TC) == 0) {}
    while ((REG(STATUS) & 0x40u) == 0) {}
}

static void report(const char *what) {
    uint32_t at = append(0, what);
    at = append_number(at, " after ", produced);
    at = append_number(at, ", halves ", halves);
    at = append_number(at, ", wholes ", wholes);
    at = append_number(at, ", idle ", idles);
    say(append(at, "\r\n"));
}

static void enable(uint32_t irq) { REG(0xE000E100u + irq / 32 * 4) = 1u << irq % 32; }

static void serve(void) {
    static SE_PATCH_Status status;
    SE_PATCH_StartInfo info = {SE_PATCH_ImageType_APP, SE_PATCH_RebootDelay_COMMAND, 0};
    uint32_t consumed = 0;
    SE_PATCH_InitStatus(&status);
    if (SE_PATCH_Init(&status, &info) != SE_SUCCESS) report("refused");
    say(append(0, "streamer " DEMO_VERSION " ready\r\n"));
    while (status.stage != SE_PATCH_Stage_VERIFIED && !status.error) {
        __asm volatile("cpsid i" ::: "memory");
        uint32_t waiting = produced - consumed, to_end = RING - consumed % RING;
        if (waiting > RING) report("lost");
        if (waiting > to_end) waiting = to_end;
        if (waiting == 0) __asm volatile("wfi");
        __asm volatile("cpsie i" ::: "memory");
        if (waiting != 0) SE_PATCH_Data(&status, ring + consumed % RING, waiting);
        consumed += waiting;
    }
    report(status.error ? SE_PATCH_GetStatusCodeString(status.code) : "verified");
}

__attribute__((noreturn, used)) void reset(void) {
    bare_start();
    DMA_CLOCK
    __asm volatile("nop\n nop\n nop");
    enable(IRQ_RX);
    enable(IRQ_UART);
    receive(RING, CIRCULAR | INTERRUPTS);
    REG(CR1_AT) |= IDLE;
    serve();
    for (;;) {}
}

VECTORS(LINES) = {
    .stack = stack_top,
    .handler = {reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault,
                [15 ... 14 + LINES] = external},
};
