/* SPDX-License-Identifier: MIT */
/* lossy.c - an application with a radio that loses things: the UART stands for it, and answers each frame, which keeps the
 * two in step.  examples/links/fragments.c keeps what comes, in 8 KB of flash that the plan of NUCLEO-L476RG leaves free, or
 * in RAM; the test includes it in front of this.
 *   O session length size where   -> result have     open; where: 0 flash, 1 RAM
 *   F index len data              -> answer
 *   M                             -> count, and up to 16 that are missing
 *   G                             -> result code      feed the engine
 *   I                                                 install at a reset, and reset */
#include "bare.h"
#include "bytes.h"
#include "cortex.h"
#include "demo_version.h"
#include "reg.h"
#include "spb_chip.h"
#include "watchdog.h"

#define STORE 0x08006000u
#define PAGE 2048u
#define PAGES 4u
#define FLASH_ACR 0x40022000u   /* RM0351 3.7 */
#define DCEN (1u << 10)
#define DCRST (1u << 12)
#define FLASH_KEYR 0x40022008u
#define FLASH_SR 0x40022010u
#define SR_ALL 0x0000C3FBu
#define SR_ERRORS 0x000003FAu
#define SR_BSY (1u << 16)
#define FLASH_CR 0x40022014u
#define CR_PG 1u
#define CR_PER 2u
#define CR_STRT (1u << 16)
#define CR_LOCK (1u << 31)
#define FLASH_ECCR 0x40022018u
#define ECCD (1u << 31)

static volatile bool ecc_failed;
static struct fragments fragments;
static uint32_t ram[PAGES * PAGE / 4u];

static void idle(void) { spb_watchdog_feed(); }

/* Flash: page by page, double word by double word (RM0351 3.3.5, 3.3.7).  True: without an error. */
static bool finished(uint32_t what) {
    reg_wait(FLASH_SR, SR_BSY, 0);
    bool good = (reg_read(FLASH_SR) & SR_ERRORS) == 0;
    reg_write(FLASH_SR, SR_ALL);
    reg_clear(FLASH_CR, what);
    return good;
}

static void unlock(void) {
    reg_clear(FLASH_ACR, DCEN);
    reg_wait(FLASH_SR, SR_BSY, 0);
    reg_write(FLASH_SR, SR_ALL);
    reg_write(FLASH_KEYR, 0x45670123u);
    reg_write(FLASH_KEYR, 0xCDEF89ABu);
}

static void lock(void) {
    reg_set(FLASH_CR, CR_LOCK);
    reg_set(FLASH_ACR, DCRST);
    reg_clear(FLASH_ACR, DCRST);
    reg_set(FLASH_ACR, DCEN);
}

static bool flash_erase(void) {
    bool good = true;
    unlock();
    for (uint32_t i = 0; i < PAGES; i++) {
        uint32_t page = (STORE - 0x08000000u) / PAGE + i;
        reg_write(FLASH_CR, CR_PER | page << 3);
        reg_set(FLASH_CR, CR_STRT);
        good &= finished(CR_PER | 0xFFu << 3);
    }
    lock();
    return good;
}

static bool flash_write(uint32_t off, const uint32_t *data, uint32_t len) {
    bool good = true;
    unlock();
    for (uint32_t i = 0; i < len / 4u && good; i += 2) {
        reg_write(FLASH_CR, CR_PG);
        reg_write(STORE + off + i * 4u, data[i]);
        reg_write(STORE + off + i * 4u + 4u, data[i + 1u]);
        good = finished(CR_PG);
    }
    lock();
    return good;
}

/* What a cut left half written may have two wrong bits, which is an NMI (RM0351 3.3.9). */
static bool flash_read(uint32_t off, uint32_t *data, uint32_t len) {
    ecc_failed = false;
    for (uint32_t i = 0; i < len / 4u; i++) data[i] = reg_read(STORE + off + i * 4u);
    __asm volatile("dsb" ::: "memory");
    return !ecc_failed;
}

static void nmi(void) {
    reg_write(FLASH_ECCR, ECCD);
    ecc_failed = true;
}

static bool ram_erase(void) {
    for (uint32_t i = 0; i < sizeof ram / 4u; i++) ram[i] = 0xFFFFFFFFu;
    return true;
}

static bool ram_write(uint32_t off, const uint32_t *data, uint32_t len) {
    for (uint32_t i = 0; i < len / 4u; i++) ram[off / 4u + i] = data[i];
    return true;
}

static bool ram_read(uint32_t off, uint32_t *data, uint32_t len) {
    for (uint32_t i = 0; i < len / 4u; i++) data[i] = ram[off / 4u + i];
    return true;
}

static const struct fragments_store stores[] = {
    {PAGES * PAGE, flash_erase, flash_write, flash_read},
    {PAGES * PAGE, ram_erase, ram_write, ram_read},
};

static void open(void) {
    struct fragments_file file;
    get_all(&file.session, 4);
    get_all(&file.length, 4);
    get_all(&file.size, 2);
    put(fragments_open(&fragments, &stores[get() & 1u], &file));
    put_all(&fragments.have, 2);
}

static void take(void) {
    static uint8_t data[256];
    uint16_t index;
    get_all(&index, 2);
    uint8_t len = get();
    get_all(data, len);
    put((uint8_t)fragments_take(&fragments, index, data, len));
}

static void missing(void) {
    uint16_t list[16];
    uint8_t count = 0;
    for (uint16_t at = fragments_missing(&fragments, 0); at < fragments.count && count < 16u; count++) {
        list[count] = at;
        at = fragments_missing(&fragments, (uint16_t)(at + 1u));
    }
    put(count);
    put_all(list, count * 2u);
}

static void feed(SE_PATCH_Status *status) {
    put(fragments_feed(&fragments, status));
    put((uint8_t)status->code);
}

static void serve(void) {
    static SE_PATCH_Status status;
    uint8_t op = get();
    if (op == 'O') open();
    if (op == 'F') take();
    if (op == 'M') missing();
    if (op == 'G') feed(&status);
    if (op == 'I') {
        put(SE_PATCH_InstallAtNextReset(&status) == SE_SUCCESS);
        spb_usart_drain();
        spb_cortex_reset();
    }
}

__attribute__((noreturn, used)) void reset(void) {
    bare_start();
    (void)ram_erase();
    static const char ready[] = "lossy " DEMO_VERSION " ready\r\n";
    put_all(ready, sizeof ready - 1);
    for (;;) serve();
}

VECTORS(0) = {
    .stack = stack_top,
    .handler = {reset, nmi, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault},
};
