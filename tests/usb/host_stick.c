/* SPDX-License-Identifier: MIT */
/* host_stick.c - a device with a stick in it, on the host: the disk is a file, flash is that of core/host_port.c.
 *   host_stick list IMAGE READS                          the update files, as they are found: size, CRC-32, name
 *   host_stick choose IMAGE READS CELLS PERSONAL ACTIVE  what would be taken, and then, and then: each counts as installed
 *   host_stick update IMAGE READS CELLS PERSONAL ACTIVE  the same by the engine, which installs it
 * READS: after so many sectors none can be read any more.  CELLS: what SLOT0 begins with.  Lines of the console as they are,
 * what this program says behind "= ". */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "install.h"
#include "line.h"
#include "sentences.h"
#include "session.h"
#include "sources.h"
#include "spb_texts.h"
#include "stick.h"

void hp_blank(void);
void hp_power_on(uint32_t kind, uint32_t at, uint32_t new_seed);
void hp_write(uint32_t off, const uint8_t *data, uint32_t len);
uint8_t *hp_personal(void);
uint32_t hp_installed(void);
uint32_t hp_misuse(void);

struct spb_engine spb_device_engine;

static FILE *disk;
static uint32_t reads, sectors, all, taken;
static bool active, by_engine;
static uint8_t head[SPB_HEAD_SIZE];

uint32_t spb_disk_sectors(void) { return sectors; }

bool spb_disk_read(uint32_t sector, uint8_t *to) {
    if (sector >= all || (uintptr_t)to % 4 != 0) abort();      /* V1 */
    if (reads == 0) sectors = 0;        /* as storage.c has it */
    if (reads == 0) return false;
    reads--;
    return fseek(disk, (long)sector * 512, SEEK_SET) == 0 && fread(to, 1, 512, disk) == 512;
}

static void put_text(const char *text, va_list args);

static void put_argument(char conversion, va_list args) {
    static const char none[] = "";
    if (conversion == SPB_TEXT_ARG_S) {
        (void)printf("%s", va_arg(args, const char *));
        return;
    }
    uint32_t value = va_arg(args, uint32_t);
    switch (conversion) {
    case SPB_TEXT_ARG_T: put_text(value != 0 ? sentences[value] : none, args); break;
    case SPB_TEXT_ARG_V: (void)printf("%u.%u.%u", value >> 24, value >> 8 & 0xFFFF, value & 0xFF); break;
    case SPB_TEXT_ARG_U: (void)printf("%u", value); break;
    default: abort();
    }
}

static void put_text(const char *text, va_list args) {
    for (; *text != '\0'; text++) {
        if ((uint8_t)*text > SPB_TEXT_ARG_LAST) (void)putchar(*text);
        else put_argument(*text, args);
    }
}

void spb_console_put_line(enum spb_text format, ...) {
    va_list args;
    va_start(args, format);
    put_text(sentences[format], args);
    va_end(args);
    (void)putchar('\n');
}

void spb_show_light(bool on) { (void)on; }

uint32_t spb_line_ms(void) { return 0; }

/* The consumer: the engine, as the loader's session has it, or what wants to know the file alone. */
enum spb_status spb_source_begin(uint32_t size) {
    taken = 0;
    if (!by_engine) return SPB_OK;
    enum spb_status status = spb_engine_abort(spb_engine());
    return status == SPB_OK ? spb_engine_start(spb_engine(), size, active) : status;
}

enum spb_status spb_source_data(const uint8_t *data, uint32_t len) {
    for (uint32_t i = 0; i < len && taken + i < sizeof head; i++) head[taken + i] = data[i];
    taken += len;
    return by_engine ? spb_engine_data(spb_engine(), data, len) : SPB_OK;
}

uint32_t spb_source_wanted(void) { return 0; }

static uint32_t crc(uint32_t sum, const uint8_t *bytes, uint32_t len) {
    for (sum = ~sum; len > 0; len--) {
        sum ^= *bytes++;
        for (int i = 0; i < 8; i++) sum = sum & 1 ? sum >> 1 ^ 0xEDB88320u : sum >> 1;
    }
    return ~sum;
}

static void list(struct spb_stick *s) {
    struct spb_volume *v = &s->volume;
    if (spb_volume_open(v) == SPB_TEXT_NONE) spb_directory_open(&s->directory, v);
    while (v->trouble == SPB_TEXT_NONE && spb_directory_next(&s->directory, v, &s->file)) {
        struct spb_chain chain;
        uint32_t left = s->file.size, sum = 0;
        spb_chain_start(v, &chain, s->file.cluster, s->file.flat);
        while (left > 0) {
            uint32_t sector = spb_chain_next(v, &chain), len = left < 512 ? left : 512;
            const uint8_t *bytes = sector != SPB_SECTOR_NONE ? spb_volume_sector(v, sector) : NULL;
            if (bytes == NULL) break;
            sum = crc(sum, bytes, len);
            left -= len;
        }
        (void)printf("%u %08x %s\n", s->file.size, left == 0 ? sum : 0, s->file.name);
    }
    if (v->trouble != SPB_TEXT_NONE) (void)printf("= %s\n", sentences[v->trouble]);
    (void)printf("= %s, %u bits, %u sectors in a cluster\n", v->exfat ? "exFAT" : "FAT", 4u * v->nibbles, 1u << v->cluster_log2);
}

/* The device starts again, and has the file installed.  Returns whether it has. */
static bool installed(void) {
    if (!by_engine) {
        hp_write(0, head, SPB_MANIFEST_SIZE);
        return active = true;
    }
    if (spb_engine_commit(spb_engine()) != SPB_OK) {
        (void)printf("= refused: %s\n", sentences[spb_engine()->status]);
        return false;
    }
    memset(&spb_device_engine, 0, sizeof spb_device_engine);
    hp_power_on(0, 0, 1);
    (void)spb_install(&spb_engine()->work.slot, SPB_TRIAL_STARTS);
    uint32_t version = hp_installed();
    (void)printf("= runs %u.%u.%u\n", version >> 24, version >> 8 & 0xFFFF, version & 0xFF);
    return active = version != 0;
}

static void updates(struct spb_stick *s) {
    for (uint32_t turns = 0; turns < 2000; turns++) {
        enum spb_source_end end = spb_stick_receive(s, active);
        if (end == SPB_SOURCE_NONE) return;
        if (spb_source_has_reason(end)) (void)printf("= ended: %s\n", sentences[end]);
        else if (end == SPB_SOURCE_REFUSED) (void)printf("= refused: %s\n", sentences[spb_engine()->status]);
        else if (installed()) memset(s, 0, sizeof *s);
    }
    (void)printf("= no end\n");
}

static uint32_t read_file(const char *name, uint8_t *to, uint32_t size) {
    FILE *file = fopen(name, "rb");
    if (file == NULL) exit(2);
    uint32_t len = (uint32_t)fread(to, 1, size, file);
    (void)fclose(file);
    return len;
}

int main(int argc, char **argv) {
    static uint8_t cells[SPB_SLOT_SIZE];
    struct spb_stick *s = calloc(1, sizeof *s);
    if (argc < 4 || s == NULL || (disk = fopen(argv[2], "rb")) == NULL || fseek(disk, 0, SEEK_END) != 0) return 2;
    sectors = all = (uint32_t)(ftell(disk) / 512);
    reads = (uint32_t)strtoul(argv[3], NULL, 10);
    if (argc == 7) {
        hp_blank();
        hp_write(0, cells, read_file(argv[4], cells, sizeof cells));
        (void)read_file(argv[5], hp_personal(), SPB_PERSONAL_SIZE);
        active = argv[6][0] == '1';
        hp_power_on(0, 0, 1);
        by_engine = strcmp(argv[1], "update") == 0;
        updates(s);
        if (hp_misuse() != 0) abort();
    } else {
        list(s);
    }
    (void)fclose(disk);
    free(s);
    return 0;
}
