/* SPDX-License-Identifier: MIT */
/* main.c - what happens at every reset: banner, self check, trigger, install, verify, hand over.
 * G1  Nothing is started that was not verified in this boot.
 * G2  An install that was begun goes on before anybody can send something else.
 * G3  Keys, scratch, clocks and peripherals are as after a reset when the application starts. */
#include <stddef.h>
#include <string.h>

#include "clock.h"
#include "console.h"
#include "context.h"
#include "cortex.h"
#include "device.h"
#include "gpio.h"
#include "install.h"
#include "internal_flash.h"
#include "session.h"
#include "sha256.h"
#include "slot.h"
#include "tick.h"
#include "trigger.h"
#include "usart.h"
#include "watchdog.h"
#include "ymodem.h"

/* Its frame is gone again before the deep calls of the loader and the engine. */
#define OWN_FRAME __attribute__((noinline))

#define PROTECTION "read protection level %u, write protection %s"
#define LOG(...) spb_console_log(&spb_console, __VA_ARGS__)

/* The engine is idle outside a session. */
static struct spb_slot_work *const work = &spb_device_engine.work.slot;

static uint8_t ymodem_block[SPB_YMODEM_BLOCK] __attribute__((section(".bootram")));

static const uint8_t *at(uint32_t off) { return (const uint8_t *)(SPB_FLASH_ADDRESS + off); }

static void start_hardware(void) {
    spb_watchdog_feed();
    spb_clock_start();
    spb_gpio_alternate(SPB_CONSOLE_TX_PORT, SPB_CONSOLE_TX_PIN, SPB_CONSOLE_TX_FUNCTION);
    spb_gpio_alternate(SPB_CONSOLE_RX_PORT, SPB_CONSOLE_RX_PIN, SPB_CONSOLE_RX_FUNCTION);
    spb_usart_start(spb_clock_console_hz());
    spb_tick_start();
    SPB_BUTTON_START();
    SPB_LED_START();
}

static void banner(void) {
    char causes[SPB_CLOCK_CAUSES];
    spb_console_print(&spb_console, "\r\n");
    LOG("spboot %s for %s, %u MHz, reset by %s", SPB_BOOT_VERSION_TEXT, SPB_BOARD_NAME, SPB_CLOCK_HZ / 1000000u,
        spb_clock_reset_cause(causes));
    const char *writing = spb_flash_write_protected() ? "on" : "off";
    if (SPB_SINGLE_SLOT) {
        LOG("SLOT0 %x, %u KB, no SLOT1, " PROTECTION, SPB_FLASH_ADDRESS + SPB_SLOT0_OFF, SPB_SLOT_SIZE / 1024u,
            spb_flash_protection(), writing);
    } else {
        LOG("SLOT0 %x, %u KB, SLOT1 %x, " PROTECTION, SPB_FLASH_ADDRESS + SPB_SLOT0_OFF, SPB_SLOT_SIZE / 1024u,
            SPB_FLASH_ADDRESS + SPB_SLOT1_OFF, spb_flash_protection(), writing);
    }
}

/* SHA-256 of ourselves without the hash itself and without what `spboot build` fills in. */
static enum spb_verdict self_check(void) {
    struct spb_sha256 sha;
    uint8_t hash[32];
    uint32_t size = spb_load_u32(at(SPB_ABI_OFFSET + SPB_ABI_OFF_BOOT_SIZE));
    uint32_t hash_off = SPB_ABI_OFFSET + SPB_ABI_OFF_SELF_HASH;
    if (size < SPB_PERSONAL_OFFSET + SPB_PERSONAL_SIZE || size > SPB_BOOT_SIZE) return SPB_BAD;
    spb_sha256_init(&sha);
    spb_sha256_update(&sha, at(0), hash_off);
    spb_sha256_update(&sha, at(hash_off + sizeof hash), SPB_PERSONAL_OFFSET - hash_off - sizeof hash);
    spb_sha256_update(&sha, at(SPB_PERSONAL_OFFSET + SPB_PERSONAL_SIZE), size - SPB_PERSONAL_OFFSET - SPB_PERSONAL_SIZE);
    spb_sha256_final(&sha, hash);
    return memcmp(hash, at(hash_off), sizeof hash) == 0 ? SPB_GOOD : SPB_BAD;
}

__attribute__((noreturn)) static void stop(const char *why) {
    LOG("%s", why);
    for (;;) {
        SPB_LED_WRITE(true);
        (void)spb_console.get(250);
        SPB_LED_WRITE(false);
        (void)spb_console.get(250);
    }
}

OWN_FRAME static void check_ourselves(void) {
    const char *problem = spb_flash_problem();
    if (problem != NULL) stop(problem);
    uint32_t flags = spb_load_u32(spb_port.personal + SPB_PERSONAL_OFF_FLAGS);
    if (self_check() != SPB_GOOD) stop("self check failed: program the bootloader again");
    if (spb_load_u32(spb_port.personal + SPB_PERSONAL_OFF_MAGIC) != SPB_PERSONAL_MAGIC) {
        stop(spb_status_text(SPB_E_NOT_PERSONALISED));
    }
    LOG("self check good, product %s", (const char *)spb_port.personal + SPB_PERSONAL_OFF_PRODUCT_NAME);
    if (flags & SPB_PERSONAL_FLAG_DEVELOPMENT) LOG("DEVELOPMENT KEYS: anybody can sign for this device");
}

static bool wants_loader(void) {
    if (SPB_BUTTON_PRESSED()) return true;
    LOG("type load within %u ms for the loader", SPB_WINDOW_MS);
    return spb_trigger_typed(&spb_console, "load", SPB_WINDOW_MS);
}

static void show_install(uint32_t done, uint32_t all) {
    SPB_LED_WRITE((done & 1) != 0);
    if (done == 0) LOG("installing, %u pages", all);
    else if (done == all || done % 16 == 0) LOG("installed %u of %u", done, all);
    else spb_watchdog_feed();
}

OWN_FRAME static void install(void) {
    switch (spb_install(work, show_install)) {
    case SPB_INSTALL_DONE: LOG("installed"); break;
    case SPB_INSTALL_REFUSED: LOG("the image in SLOT1 was refused and dropped"); break;
    case SPB_INSTALL_FAILED: LOG("install failed, the next reset tries again"); break;
    default: break;
    }
}

/* The image in SLOT0, judged twice on the way: by the signature over the header, by the hash over every byte. */
struct judgement {
    volatile enum spb_verdict header;
    volatile enum spb_verdict image;
    uint32_t version;
};

OWN_FRAME static void judge(struct judgement *j) {
    static const struct spb_pages all_in_slot0;
    j->header = SPB_BAD;
    j->image = SPB_BAD;
    if (!spb_slot_header(&spb_port.slot0, work)) return;
    j->header = spb_slot_vouch(work);
    if (j->header != SPB_GOOD) return;
    j->version = SPB_MANIFEST_U32(work->header, VERSION);
    j->image = spb_slot_match(work->header, &all_in_slot0);
    if (j->image != SPB_GOOD) return;   /* what does not match may not even be readable (F3) */
    /* The reset vector: Thumb, inside the image. */
    uint32_t entry = spb_load_u32(at(SPB_SLOT0_OFF + SPB_VECTOR_SIZE + 4));
    uint32_t off = entry - (SPB_FLASH_ADDRESS + SPB_SLOT0_OFF + SPB_VECTOR_SIZE);
    if ((entry & 1) == 0 || off >= SPB_MANIFEST_U32(work->header, IMAGE_SIZE)) j->image = SPB_BAD;
}

/* G3.  The jump wipes the reserved RAM, this stack included. */
__attribute__((noreturn)) static void hand_over(const struct judgement *j) {
    LOG("starting %v", j->version);
    spb_usart_stop();
    SPB_LED_WRITE(false);
    spb_tick_stop();
    spb_clock_stop();
    if (j->header != SPB_GOOD || j->image != SPB_GOOD) spb_cortex_reset();
    spb_context_jump(SPB_FLASH_ADDRESS + SPB_SLOT0_OFF + SPB_VECTOR_SIZE);
}

/* The last byte of text leaves first. */
__attribute__((noreturn)) static void restart(void) {
    spb_usart_stop();
    spb_cortex_reset();
}

void spb_main(void) {
    struct judgement j;
    start_hardware();
    banner();
    check_ourselves();
    bool loader = wants_loader();
    install();
    for (;;) {
        judge(&j);          /* again after a session: with a single slot it may have changed SLOT0 */
        bool valid = j.header == SPB_GOOD && j.image == SPB_GOOD;
        if (valid && !loader) hand_over(&j);
        if (!valid && j.header == SPB_GOOD) LOG("SLOT0: version %v is not whole", j.version);
        if (!valid) LOG("no valid application in SLOT0");
        if (spb_session(&spb_console, &spb_device_engine, ymodem_block, valid, spb_status_text) == SPB_SESSION_COMMITTED) {
            restart();
        }
        loader = false;
    }
}
