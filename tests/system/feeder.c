/* SPDX-License-Identifier: MIT */
/* feeder.c - an application that makes the calls a test asks for: any public function with any arguments, from main on
 * MSP, from a task on PSP with a small guarded stack, from an interrupt handler, or while a second task calls as well.
 *
 * On the console: a request (28 bytes) and, for 'w', the bytes to write; then a reply (44 bytes), for 'h' after a count
 * and that many words: where buffers are, and how the compiler laid out spboot.h.  Everything is little-endian. */
#include <stddef.h>

#include "bare.h"
#include "bytes.h"
#include "cortex.h"
#include "demo_version.h"
#include "reg.h"
#include "spb_chip.h"
#include "spboot/spboot.h"
#include "watchdog.h"

#define TICK_CYCLES (SPB_CLOCK_HZ / 10000u)
#define GUARD 256u
#define TASK_STACK 1024u        /* for the engine, too, where a test asks for that */
#define PAINT 0xA5u
#define SYST_CSR 0xE000E010u
#define SYST_RVR 0xE000E014u
#define SYST_CVR 0xE000E018u
#define ICSR 0xE000ED04u
#define ICSR_PENDSVSET (1u << 28)
#define SHPR3 0xE000ED20u
#define SHPR3_PENDSV_LOWEST (0xF0u << 16)
#define SYST_CVR 0xE000E018u
#define TO_THREAD_ON_PSP 0xCu   /* in EXC_RETURN, on every core */
#define DEMCR 0xE000EDFCu
#define DEMCR_TRCENA (1u << 24)
#define DWT_CTRL 0xE0001000u
#define DWT_CYCCNT 0xE0001004u

enum mode { MODE_MAIN, MODE_TASK, MODE_HANDLER, MODE_TWO_TASKS, MODE_UNPRIVILEGED };

struct request {
    uint8_t op;                 /* h: hello, w: write memory, c: call, p: call once for each piece, x: reset */
    uint8_t gate;               /* c: number of the function */
    uint8_t mode;
    uint8_t other_gate;         /* what the second task calls all the time */
    uint32_t arg[3];            /* w: address, length.  p: data, address of u16 lengths, how many */
    uint32_t other_arg[3];      /* the first points at its SE_PATCH_Status */
};

struct reply {
    uint32_t result;            /* of the last call */
    uint32_t calls;
    uint32_t ticks;             /* SysTick interrupts during the calls */
    uint32_t cycles;
    uint32_t late;              /* of any of these interrupts, in cycles */
    uint32_t stack_used;        /* of TASK_STACK, the frame of an interrupt included */
    uint32_t guards_spoilt;     /* bytes below and above it that were touched */
    uint32_t switches;          /* between the tasks, while the first was inside the bootloader */
    uint32_t other_calls;
    uint32_t other_refused;     /* of them: SE_ERROR */
    uint32_t other_busy;        /* of them: with code BUSY */
};

_Static_assert(sizeof(struct request) == 28 && sizeof(struct reply) == 44, "as the tests know them");

typedef uint32_t (*gate)(uint32_t, uint32_t, uint32_t);
#define GATE(name) (gate)(void (*)(void))name,
static const gate gates[] = {SPB_ABI_GATES(GATE)};

uint32_t pendsv_wants_switch(uint32_t exc_return, uint32_t psp);
uint32_t pendsv_swap(uint32_t psp);
void other_task(void);

static uint8_t task_area[GUARD + TASK_STACK + GUARD] __attribute__((aligned(8)));
static uint8_t other_stack[512] __attribute__((aligned(8)));
#ifdef __ARM_ARCH_6M__                                  /* STM32L073 has 20 KB of RAM */
static uint8_t buffer[8 * 1024];
#else
static uint8_t buffer[48 * 1024];
#endif
static uint8_t scratch[512] __attribute__((aligned(8)));
static volatile uint32_t feeding = 1;

static struct request request;
static struct reply reply;
static volatile uint32_t ticks, late, switches, handler_result;
static uint32_t saved_psp[2];
static volatile uint32_t current;
static struct { volatile uint32_t calls, refused, busy; } other;

static void idle(void) {
    if (feeding) spb_watchdog_feed();
}

/* Call function(a, b, c) on PSP, on the stack that ends at top. */
__attribute__((naked, noinline)) static uint32_t call_on(uint32_t a __attribute__((unused)),
                                                         uint32_t b __attribute__((unused)),
                                                         uint32_t c __attribute__((unused)),
                                                         gate function __attribute__((unused)),
                                                         uint32_t top __attribute__((unused)),
                                                         uint32_t control __attribute__((unused))) {
    __asm volatile(".syntax unified\n"
                   "push {r4-r7, lr}\n"
                   "ldr r4, [sp, #20]\n"
                   "msr psp, r4\n"
                   "ldr r4, [sp, #24]\n"
                   "msr control, r4\n"
                   "isb\n"
                   "blx r3\n"
                   "svc #0\n"             /* privileged again */
                   "movs r4, #0\n"
                   "msr control, r4\n"
                   "isb\n"
                   "pop {r4-r7, pc}\n");
}

__attribute__((naked)) static void supervisor(void) {
    __asm volatile(".syntax unified\n"
                   "movs r0, #0\n"
                   "msr control, r0\n"
                   "isb\n"
                   "bx lr\n");
}

/* The second task.  It runs only while the first one is inside the bootloader. */
__attribute__((used, noreturn)) void other_task(void) {
    for (;;) {
        uint32_t result = gates[request.other_gate](request.other_arg[0], request.other_arg[1], request.other_arg[2]);
        other.calls++;
        other.refused += result == (uint32_t)SE_ERROR;
        other.busy += ((const SE_PATCH_Status *)request.other_arg[0])->code == SE_PATCH_StatusCode_BUSY;
    }
}

/* r4 .. r11, then what the exception stacks: r0-r3, r12, lr, pc, xpsr. */
static void prepare_other_task(void) {
    uint32_t *frame = (uint32_t *)(void *)(other_stack + sizeof other_stack) - 16;
    for (uint32_t i = 0; i < 16; i++) frame[i] = 0;
    frame[14] = (uint32_t)other_task;
    frame[15] = 1u << 24;
    saved_psp[1] = (uint32_t)frame;
}

static void systick(void) {
    uint32_t passed = TICK_CYCLES - 1 - reg_read(SYST_CVR);
    ticks++;
    if (passed > late) late = passed;
    if (request.mode == MODE_TWO_TASKS) reg_write(ICSR, ICSR_PENDSVSET);
}

__attribute__((used)) uint32_t pendsv_wants_switch(uint32_t exc_return, uint32_t psp) {
    uint32_t low = (uint32_t)task_area;
    if (request.mode == MODE_HANDLER) {
        handler_result = gates[request.gate](request.arg[0], request.arg[1], request.arg[2]);
        return 0;
    }
    if (request.mode != MODE_TWO_TASKS || (exc_return & TO_THREAD_ON_PSP) != TO_THREAD_ON_PSP) return 0;
    return current == 1 || psp < low || psp >= low + sizeof task_area;
}

__attribute__((used)) uint32_t pendsv_swap(uint32_t psp) {
    saved_psp[current] = psp;
    current ^= 1;
    switches++;
    return saved_psp[current];
}

__attribute__((naked)) static void pendsv(void) {
    __asm volatile(".syntax unified\n"
                   "mov r0, lr\n"
                   "mrs r1, psp\n"
                   "push {r3, lr}\n"
                   "bl pendsv_wants_switch\n"
                   "cmp r0, #0\n"
                   "beq 1f\n"
                   "mrs r0, psp\n"
                   "subs r0, r0, #32\n"
                   "mov r1, r0\n"
                   "stmia r1!, {r4-r7}\n"      /* low registers only: also on Cortex-M0+ */
                   "mov r4, r8\n"
                   "mov r5, r9\n"
                   "mov r6, r10\n"
                   "mov r7, r11\n"
                   "stmia r1!, {r4-r7}\n"
                   "bl pendsv_swap\n"
                   "mov r1, r0\n"
                   "adds r1, r1, #16\n"
                   "ldmia r1!, {r4-r7}\n"
                   "mov r8, r4\n"
                   "mov r9, r5\n"
                   "mov r10, r6\n"
                   "mov r11, r7\n"
                   "msr psp, r1\n"
                   "ldmia r0!, {r4-r7}\n"
                   "1: pop {r3, pc}\n");
}

static void paint(void) {
    for (uint32_t i = 0; i < sizeof task_area; i++) task_area[i] = PAINT;
}

static void inspect(void) {
    uint32_t first = 0;
    while (first < TASK_STACK && task_area[GUARD + first] == PAINT) first++;
    if (TASK_STACK - first > reply.stack_used) reply.stack_used = TASK_STACK - first;
    for (uint32_t i = 0; i < GUARD; i++) {
        reply.guards_spoilt += task_area[i] != PAINT;
        reply.guards_spoilt += task_area[GUARD + TASK_STACK + i] != PAINT;
    }
}

static uint32_t call(gate function, const uint32_t arg[3]) {
    uint32_t top = (uint32_t)(task_area + GUARD + TASK_STACK);
    if (request.mode == MODE_MAIN) return function(arg[0], arg[1], arg[2]);
    if (request.mode == MODE_HANDLER) {
        reg_write(ICSR, ICSR_PENDSVSET);
        __asm volatile("dsb\n isb" ::: "memory");
        return handler_result;
    }
    paint();
    current = 0;
    prepare_other_task();
    bool limited = SPB_STACK_LIMITS && request.mode == MODE_TASK;
    uint32_t limit = top - TASK_STACK, after = limit;
    if (limited) __asm volatile("msr psplim, %0" ::"r"(limit)); /* as an RTOS does on ARMv8-M */
    uint32_t control = request.mode == MODE_UNPRIVILEGED ? 3 : 2;
    uint32_t result = call_on(arg[0], arg[1], arg[2], function, top, control);
    if (limited) __asm volatile("mrs %0, psplim\n msr psplim, %1" : "=&r"(after) : "r"(0));
    inspect();
    reply.guards_spoilt += after != limit;
    return result;
}

/* Cortex-M0+ has no such counter. */
#ifdef __ARM_ARCH_6M__
static void count_cycles(void) {}
static uint32_t cycles(void) { return 0; }
#else
static void count_cycles(void) {
    reg_write(DEMCR, reg_read(DEMCR) | DEMCR_TRCENA);
    reg_write(DWT_CTRL, reg_read(DWT_CTRL) | 1u);
}
static uint32_t cycles(void) { return reg_read(DWT_CYCCNT); }
#endif

/* SysTick with its interrupt every so many cycles; 0 stops it. */
static void tick(uint32_t cycles_each) {
    reg_write(SYST_CSR, 0);
    reg_write(SYST_RVR, cycles_each);
    reg_write(SYST_CVR, 0);
    if (cycles_each != 0) reg_write(SYST_CSR, 7u);
}

static void timed(gate function, const uint32_t arg[3]) {
    ticks = late = 0;
    tick(TICK_CYCLES);
    uint32_t start = cycles();
    reply.result = call(function, arg);
    reply.cycles += cycles() - start;
    tick(0);
    reply.ticks += ticks;
    if (late > reply.late) reply.late = late;
    reply.calls++;
}

static void pieces(void) {
    const uint16_t *lengths = (const uint16_t *)request.arg[1];
    uint32_t arg[3] = {(uint32_t)scratch, request.arg[0], 0};
    reply.result = (uint32_t)SE_SUCCESS;
    for (uint32_t i = 0; i < request.arg[2] && reply.result == (uint32_t)SE_SUCCESS; i++) {
        arg[2] = lengths[i];
        timed(gates[request.gate], arg);
        arg[1] += arg[2];
    }
}

static void hello(void) {
#define OF(type, member) (uint32_t) offsetof(type, member)
    const uint32_t facts[] = {
        (uint32_t)buffer, sizeof buffer, (uint32_t)scratch, sizeof scratch, (uint32_t)&feeding, TICK_CYCLES,
        sizeof(SE_ErrorStatus), sizeof(SE_StatusTypeDef), sizeof(SE_PATCH_StatusCode), sizeof(SE_PATCH_ImageType),
        sizeof(SE_PATCH_Stage), sizeof(bool),
        sizeof(SE_PATCH_StartInfo), OF(SE_PATCH_StartInfo, type), OF(SE_PATCH_StartInfo, rebootDelay),
        OF(SE_PATCH_StartInfo, totalLength),
        sizeof(SE_PATCH_Status), OF(SE_PATCH_Status, completed), OF(SE_PATCH_Status, error), OF(SE_PATCH_Status, code),
        OF(SE_PATCH_Status, stage), OF(SE_PATCH_Status, accumBytes), OF(SE_PATCH_Status, totalBytes),
        sizeof(SE_APP_ActiveFwInfo), OF(SE_APP_ActiveFwInfo, ActiveFwVersion), OF(SE_APP_ActiveFwInfo, ActiveFwSize),
        OF(SE_APP_ActiveFwInfo, ActiveFwTag),
    };
    uint32_t count = sizeof facts / sizeof facts[0];
    put_all(&count, sizeof count);
    put_all(facts, sizeof facts);
}

static void serve(void) {
    get_all(&request, sizeof request);
    reply = (struct reply){0};
    switches = other.calls = other.refused = other.busy = 0;
    if (request.op == 'h') hello();
    if (request.op == 'w') get_all((void *)request.arg[0], request.arg[1]);
    if (request.op == 'c') timed(gates[request.gate], request.arg);
    if (request.op == 'p') pieces();
    if (request.op == 'x') spb_cortex_reset();
    reply.switches = switches;
    reply.other_calls = other.calls;
    reply.other_refused = other.refused;
    reply.other_busy = other.busy;
    put_all(&reply, sizeof reply);
}

__attribute__((noreturn, used)) void reset(void) {
    bare_start();
    reg_write(SHPR3, reg_read(SHPR3) | SHPR3_PENDSV_LOWEST);
    count_cycles();
    static const char ready[] = "feeder " DEMO_VERSION " ready\r\n";
    put_all(ready, sizeof ready - 1);
    for (;;) serve();
}

VECTORS(0) = {
    .stack = stack_top,
    .handler = {reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, supervisor, fault, 0, pendsv, systick},
};
