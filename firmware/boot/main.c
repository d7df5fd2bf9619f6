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
#if SPB_MEMORIES > 1
#include "external_flash.h"
#endif
#include "gpio.h"
#include "install.h"
#include "internal_flash.h"
#include "note.h"
#include "options.h"
#include "power.h"
#include "production.h"
#include "reset_cause.h"
#include "session.h"
#include "sha256.h"
#include "show.h"
#include "slot.h"
#include "sources.h"
#include "text.h"
#include "tick.h"
#include "trigger.h"
#include "usart.h"
#include "watchdog.h"

/* Its frame is gone again before the deep calls of the loader and the engine. */
#define OWN_FRAME __attribute__((noinline))

#define LOAD_MS 2000u       /* what a first byte makes of the window: time to type `load` */
#define STICK_MS 3000u      /* a stick starts anew with the device */
#define FAULTS 3u           /* boots in a row that ended in a fault: then SLOT0 and SLOT1 are left alone */
#define PROTECTION "protection: read level %u, write %t"
#define LOG(...) spb_console_log(__VA_ARGS__)

/* The engine is idle outside a session. */
static struct spb_slot_work *work(void) { return &spb_engine()->work.slot; }

static const uint8_t *at(uint32_t off) { return (const uint8_t *)(SPB_FLASH_ADDRESS + off); }

static void start_hardware(void) {
    spb_watchdog_period(SPB_WATCHDOG_LONGEST);
    spb_clock_start();
    spb_gpio_console();
    spb_usart_start(spb_clock_console_hz());
    spb_tick_start();
    spb_line_start();
    SPB_BUTTON_START();
    SPB_LED_START();
}

static void banner(uint32_t note, uint32_t faults) {
    char causes[SPB_RESET_CAUSES];
    spb_console_print("\r\n");
    LOG("spboot %s for %s, %u MHz, reset by %s", SPB_BOOT_VERSION_TEXT, SPB_BOARD_NAME, SPB_CLOCK_HZ / 1000000u,
        spb_reset_causes(causes));
    enum spb_text writing = spb_flash_write_protected() ? TEXT("on") : TEXT("off");
#if SPB_SINGLE_SLOT     /* words of a branch that is not taken would stand in the table all the same */
    LOG("SLOT0 %x, %u KB, no SLOT1, " PROTECTION, SPB_FLASH_ADDRESS + SPB_SLOT0_OFF, SPB_SLOT_SIZE / 1024u,
        spb_flash_protection(), writing);
#else
    LOG("SLOT0 %x, %u KB, SLOT1 %x, " PROTECTION, SPB_FLASH_ADDRESS + SPB_SLOT0_OFF, SPB_SLOT_SIZE / 1024u,
        SPB_FLASH_ADDRESS + SPB_SLOT1_OFF, spb_flash_protection(), writing);
#endif
    if (faults != 0) LOG("%u faults in a row, the last at %x", faults, SPB_FLASH_ADDRESS + SPB_NOTE_PLACE(note));
}

/* False where external flash cannot be used, which is said. */
static bool start_outside(void) {
#if SPB_MEMORIES > 1
    enum spb_text problem = spb_external_start();
    if (problem == SPB_TEXT_NONE) return true;
    LOG("%t; its id is %x, expected %x", problem, spb_external_id(), SPB_EXTERNAL_ID);
    return false;
#else
    return true;
#endif
}

/* What an update would run into. */
OWN_FRAME static void show_protected(const struct spb_area *area, enum spb_text name) {
    if (!spb_area_writable(area)) LOG("%t is write protected: no update", name);
}

/* SHA-256 of ourselves without the hash itself and without what `spboot build` fills in. */
static bool self_check(void) {
    struct spb_sha256 sha;
    uint8_t hash[32];
    uint32_t size = spb_word(at(SPB_ABI_OFFSET + SPB_ABI_OFF_BOOT_SIZE));
    uint32_t hash_off = SPB_ABI_OFFSET + SPB_ABI_OFF_SELF_HASH;
    if (size < SPB_PERSONAL_OFFSET + SPB_PERSONAL_SIZE || size > SPB_BOOT_SIZE) return false;
    spb_sha256_init(&sha);
    spb_sha256_update(&sha, at(0), hash_off);
    spb_sha256_update(&sha, at(hash_off + sizeof hash), SPB_PERSONAL_OFFSET - hash_off - sizeof hash);
    spb_sha256_update(&sha, at(SPB_PERSONAL_OFFSET + SPB_PERSONAL_SIZE), size - SPB_PERSONAL_OFFSET - SPB_PERSONAL_SIZE);
    spb_sha256_final(&sha, hash);
    return memcmp(hash, at(hash_off), sizeof hash) == 0;
}

__attribute__((noreturn)) static void stop(enum spb_text why) {
    spb_console_put_line(why);
    for (bool on = true;; on = !on) {
        SPB_LED_WRITE(on);
        (void)spb_line_get(250);
    }
}

OWN_FRAME static void check_ourselves(void) {
    enum spb_text problem = spb_flash_problem();
    if (problem != SPB_TEXT_NONE && !(SPB_PRODUCTION && spb_options_torn())) stop(problem);
    enum spb_text warning = spb_flash_warning();
    if (warning != SPB_TEXT_NONE) spb_console_put_line(warning);
    uint32_t flags = spb_word(spb_port.personal + SPB_PERSONAL_OFF_FLAGS);
    if (!self_check()) stop(TEXT("self check failed: program the bootloader again"));
    if (spb_word(spb_port.personal + SPB_PERSONAL_OFF_MAGIC) != SPB_PERSONAL_MAGIC) {
        stop(spb_text_of(SPB_E_NOT_PERSONALISED));
    }
    LOG("self check good, product %s; type load for the loader", (const char *)spb_port.personal + SPB_PERSONAL_OFF_PRODUCT_NAME);
    if (flags & SPB_PERSONAL_FLAG_DEVELOPMENT) LOG("DEVELOPMENT KEYS: anybody can sign");
}

/* Dead code but for production: no words of ours (texts.py). */
static void hold_protection(uint32_t note) {
    enum spb_text missing = spb_production(note);
    if (missing != SPB_TEXT_NONE) stop(missing);
}

#if SPB_KEYS_RECORDS
OWN_FRAME static void open_keys(void) {
    spb_keys_open(work());
    if (spb_keys_index() != 0) LOG("key %u", spb_keys_index());
}
#endif

/* The window for the word begins with the boot: most of it goes by while images are hashed. */
static bool wants_loader(void) {
    uint32_t now = spb_tick_ms();
    return spb_trigger_typed("load", now < SPB_WINDOW_MS ? SPB_WINDOW_MS - now : 0, LOAD_MS);
}

void spb_show_install(uint32_t done, uint32_t all) {
    SPB_LED_WRITE((done & 1) != 0);
    if (done == 0) LOG("installing, pages: %u", all);
    else if (done == all || done % 16 == 0) LOG("installed %u of %u", done, all);
    else spb_watchdog_feed();
}

/* True when what is in SLOT0 is on trial. */
OWN_FRAME static bool install(void) {
    static const uint8_t said[] = {
        [SPB_INSTALL_NOTHING] = TEXT(""),
        [SPB_INSTALL_DONE] = TEXT("installed"),
        [SPB_INSTALL_TRIAL] = TEXT("on trial"),
        [SPB_INSTALL_REVERTED] = TEXT("reverted"),
        [SPB_INSTALL_REFUSED] = TEXT("image in SLOT1 refused and dropped"),
        [SPB_INSTALL_FAILED] = TEXT("install failed, a reset tries again"),
    };
    enum spb_install_result result = spb_install(work(), SPB_TRIAL_STARTS);
    if (result != SPB_INSTALL_NOTHING) spb_console_put_line(said[result]);
    return result == SPB_INSTALL_TRIAL;
}

/* The image in SLOT0, judged twice on the way: by the signature over the header, by the hash over every byte. */
struct judgement {
    volatile enum spb_verdict header;
    volatile enum spb_verdict image;
    uint32_t version;
};

OWN_FRAME static void judge(struct judgement *j) {
    struct spb_slot_work *w = work();
    j->header = SPB_BAD;
    j->image = SPB_BAD;
    if (!spb_slot_header(&spb_slot0, 0, w)) return;
    j->header = spb_slot_trust(w);
    if (j->header != SPB_GOOD) return;
    uint32_t size = SPB_MANIFEST_U32(w->header, IMAGE_SIZE);
    j->version = SPB_MANIFEST_U32(w->header, VERSION);
    j->image = spb_slot_match_start(w);
    LOG("SLOT0 holds %v, %u bytes", j->version, size);
    if (j->image != SPB_GOOD || !spb_slot_can_start(spb_area_map(&spb_slot0, SPB_VECTOR_SIZE, SPB_VECTORS_SIZE), size)) {
        j->image = SPB_BAD;
    }
    if (SPB_PARTS > 1 && !SPB_VERIFY_REST && SPB_MANIFEST_U32(w->header, EXTERNAL_SIZE) > 0 &&
        !spb_area_read(&spb_slot0, SPB_PART_SIZE, w->read.block, SPB_VECTORS_SIZE)) {
        j->image = SPB_BAD;
    }
}

/* G3.  The jump wipes the reserved RAM, this stack included.  Where it goes is right for two good verdicts only. */
__attribute__((noreturn)) static void hand_over(const struct judgement *j) {
    LOG("starting %v", j->version);
    spb_line_flush();
    spb_watchdog_period(SPB_WATCHDOG_DEFAULT);
    spb_usart_stop();
    SPB_LED_WRITE(false);
    spb_tick_stop();
#if SPB_MEMORIES > 1
    spb_external_stop();
#endif
    spb_clock_stop();
    if (j->header != SPB_GOOD || j->image != SPB_GOOD) spb_cortex_reset();
    uint32_t doubt = ((uint32_t)j->header ^ SPB_GOOD) | ((uint32_t)j->image ^ SPB_GOOD);
    spb_context_jump((SPB_FLASH_ADDRESS + SPB_SLOT0_OFF + SPB_VECTOR_SIZE) ^ doubt);
}

/* The last byte of text leaves first. */
__attribute__((noreturn)) static void restart(uint32_t note) {
    spb_note_write(note);
    spb_line_flush();
    spb_usart_stop();
    spb_cortex_reset();
}

#if SPB_STICK
#define NEXT_LOOK (spb_sources_by_stick() ? SPB_NOTE_STICK : SPB_NOTE_NONE)

void spb_show_light(bool on) { SPB_LED_WRITE(on); }

/* Before a valid image is started that is not on trial: one that is decides by itself whether it stays. */
static void look_at_stick(uint32_t note) {
    uint32_t wait_ms = note == SPB_NOTE_STICK ? STICK_MS : SPB_USB_AT_BOOT_MS;
    if (wait_ms != 0 && spb_session_look(wait_ms)) restart(SPB_NOTE_STICK);
}
#else
#define NEXT_LOOK SPB_NOTE_NONE
static void look_at_stick(uint32_t note) { (void)note; }
#endif

__attribute__((used)) void spb_main(void) {
    struct judgement j;
    j.header = SPB_BAD;
    j.image = SPB_BAD;
    uint32_t note = spb_note_read();
    uint32_t faults = SPB_NOTE_KIND(note) == SPB_NOTE_FAULT ? SPB_NOTE_COUNT(note) : 0;
    if (faults == 0) spb_note_write(SPB_NOTE_NONE);
    start_hardware();
    banner(note, faults);
    bool outside = start_outside();
    show_protected(&spb_slot0, TEXT("SLOT0"));
    if (!SPB_SINGLE_SLOT) {
        show_protected(&spb_slot1, TEXT("SLOT1"));
        show_protected(&spb_journal, TEXT("the journal"));
    }
    check_ourselves();
    if (SPB_PRODUCTION) hold_protection(note);
#if SPB_KEYS_RECORDS
    open_keys();
#endif
    bool distrust = faults >= FAULTS;
    bool loader = SPB_BUTTON_PRESSED() || note == SPB_NOTE_LOADER || distrust;
    bool window = note != SPB_NOTE_HURRY && !spb_power_woke();
    bool trial = !distrust && outside && install();
    for (;;) {
        if (!distrust) judge(&j);       /* again after a session: with a single slot it may have changed SLOT0 */
        bool valid = j.header == SPB_GOOD && j.image == SPB_GOOD;
        if (valid && !loader && !(window && wants_loader())) {
            if (!trial) look_at_stick(note);
            hand_over(&j);
        }
        if (!valid && j.header == SPB_GOOD) LOG("SLOT0: version %v is not whole", j.version);
        if (!valid) LOG("no valid firmware in SLOT0");
        if ((trial && !valid) || spb_session(valid) == SPB_SESSION_COMMITTED) restart(NEXT_LOOK);
        loader = window = false;
    }
}
