"""Bugs that the fuzzers must find, and proofs some of them: what a parser with one check less looks like."""

from __future__ import annotations

from tests.edits import Edit

_DECODER: dict[str, Edit] = {
    "OLD read beyond its end by a new copy": (
        "core/position.h",
        "return old ? d->image.size : d->np;",
        "return old ? ~0u : d->np;",
    ),
    "OLD read beyond its end by a copy that goes on": (
        "core/delta.c",
        "d->copying != STORED && left(d, d->copying == OLD) == 0",
        "false",
    ),
    "NEW read where nothing was put": (
        "core/position.h",
        "return old ? d->image.size : d->np;",
        "return old ? d->image.size : ~0u;",
    ),
    "a copy from NEW taken for one from OLD": (
        "core/delta.c",
        "uint32_t len = left(d, d->copying == OLD);",
        "uint32_t len = left(d, true);",
    ),
    "more taken as it is than OLD has": (
        "core/delta.c",
        "if (ends && left(d, d->copying == OLD) < room)",
        "if (false)",
    ),
    "four bytes read where fewer are left": ("core/delta.c", "if (len > 4) len = 4;", "len = 4;"),
    "reference longer than the room in NEW": ("core/delta.c", "len < room ? len : room", "len"),
    "OLD compared beyond its end": ("core/delta.c", " || d->image.size - from < 4", ""),
    "NEW compared beyond what was put": ("core/delta.c", " || end - to < 4", ""),
    "copy that puts nothing": ("core/delta.c", "fresh ? SPB_E_PARSER_ERROR : SPB_OK", "SPB_OK"),
    "step begun with too few bytes": (
        "core/delta.c",
        "d->range.end - SPB_DELTA_STEP_SIZE)",
        "d->range.end - SPB_DELTA_STEP_SIZE / 8)",
    ),
    "start with too few bytes": ("core/delta.c", "last || len >= SPB_DELTA_STEP_SIZE)", "last || len > 0)"),
    "stream read beyond its end": ("core/range.c", "r->in < r->end", "r->in <= r->end"),
    "tail of the stream ignored": ("core/delta.c", "last && d->range.in == d->range.end ? SPB_OK", "last ? SPB_OK"),
    "error of put() ignored": ("core/delta.c", "--len > 0 && status == SPB_OK", "--len > 0"),
    "literals counted beyond the models": ("core/delta.c", "d->literals < 3", "d->literals < 5"),
    "long run beyond the models": ("core/delta.c", "d->run_bits < 7 && ", ""),
    "move put behind the last": ("core/moves.c", "if (hole < at) at--;", ""),
    "one move too many": ("core/moves.c", "m->count < SPB_DELTA_MOVES", "m->count <= SPB_DELTA_MOVES"),
}
_MANIFEST: dict[str, Edit] = {
    "an empty last chunk": ("core/manifest.c", "last >= 1 && ", ""),
    "an image over the end of the slot": (
        "core/manifest.c",
        "> SPB_PART_SIZE - SPB_VECTOR_SIZE) return",
        "> SPB_SLOT_SIZE) return",
    ),
    "a kind that nobody knows": ("core/manifest.c", " || kind > SPB_MANIFEST_KIND_PATCH", ""),
    "another board's image": ("core/manifest.c", "if (SPB_MANIFEST_U32(m, TARGET) != spb_port.target)", "if (false)"),
    "the product is no part of the misfit": ("core/manifest.c", "return product | (", "return (product & 0) | ("),
    "versions compared as if they had signs": (
        "core/manifest.c",
        "((~v & floor) | ((~v | floor)",
        "((v & ~floor) | ((v | ~floor)",
    ),
    "chunk 0 is not signed": (
        "core/manifest.c",
        "spb_sha256(header, SPB_HEADER_OFF_SIGNATURE, hash)",
        "spb_sha256(header, SPB_MANIFEST_SIZE, hash)",
    ),
    "any signature will do": ("core/manifest.c", "(verdict ^ SPB_P256_GOOD ^ SPB_GOOD)", "(verdict & 0 ^ SPB_GOOD)"),
}
_PAYLOAD: dict[str, Edit] = {
    "a chunk filled one byte too far": ("core/payload.c", "p->fill < p->need", "p->fill <= p->need"),
    "the last chunk taken for a full one": (
        "core/payload.c",
        "return p->left == 0 ? p->need : SPB_CHUNK_DATA_SIZE;",
        "return SPB_CHUNK_DATA_SIZE;",
    ),
    "a whole last chunk taken for one with a hash": (
        "core/payload.c",
        "p->left <= SPB_CHUNK_DATA_SIZE ?",
        "p->left < SPB_CHUNK_DATA_SIZE ?",
    ),
    "a hash over the data alone": (
        "core/payload.c",
        "SPB_DELTA_STEP_SIZE, p->need, whole",
        "SPB_DELTA_STEP_SIZE, data_len(p), whole",
    ),
    "unread bytes left where they were": ("core/payload.c", "memmove(chunk(p) - rest,", "memmove(chunk(p) - p->carry,"),
    "the same key stream for each chunk": ("core/payload.c", "p->block += SPB_CHUNK_DATA_SIZE / AES_BLOCK;", ""),
}
_JOURNAL: dict[str, Edit] = {
    "the part's end forgotten": ("core/flash.c", " || len > part->size - *off", ""),
    "an entry without its complement": ("core/pages.c", "value == ~unit[0] >> 16 ?", "value != 1 ?"),
    "a search that stands still": ("core/pages.c", "low = middle + 1;", "low = middle;"),
    "a search that skips": ("core/pages.c", "else high = middle;", "else high = middle > 0 ? middle - 1 : 0;"),
    "a record where one stands": ("core/journal.c", "j->next = off + SPB_ENTRY_UNIT;", "j->next = off;"),
    "a full journal written on": (
        "core/journal.c",
        "j->next > SPB_JOURNAL_SIZE - SPB_ENTRY_UNIT",
        "j->next > SPB_JOURNAL_SIZE",
    ),
    "a step that is not found again": (
        "core/journal.c",
        "off <= SPB_JOURNAL_SIZE - SPB_ENTRY_UNIT; off",
        "off < SPB_JOURNAL_SIZE - SPB_ENTRY_UNIT; off",
    ),
    "what cannot be read taken for erased": (
        "core/pages.c",
        "unit, sizeof unit)) return SPB_ENTRY_NONE;",
        "unit, sizeof unit)) return SPB_ENTRY_ERASED;",
    ),
    "a page taken for a step": ("core/journal.c", "step >> 15 == 1 && ", ""),
    "a step taken back by a lower one": ("core/journal.c", "step >> 15 == 1 && step > *last", "step >> 15 == 1"),
    "a mark for another header": (
        "core/journal.c",
        "mark[SPB_JOURNAL_MARK_OFF_CHECK / 4] == signature",
        "mark[SPB_JOURNAL_MARK_OFF_CHECK / 4] != 0",
    ),
    "an end that a full journal forgets": (
        "core/journal.c",
        "step >= SPB_JOURNAL_STEP_TRIED ?",
        "step >= SPB_JOURNAL_STEP_REVERTED ?",
    ),
    "a failure written over the list": (
        "core/journal.c",
        "pages->count * SPB_ENTRY_UNIT + MARK_UNIT",
        "pages->count * SPB_ENTRY_UNIT - MARK_UNIT",
    ),
    "no room for the end of a trial": (
        "core/journal.h",
        "SPB_JOURNAL_SIZE - (2 + SPB_JOURNAL_SPARE / 2) * SPB_ENTRY_UNIT",
        "SPB_JOURNAL_SIZE - SPB_ENTRY_UNIT",
    ),
    "kept where a page is to be installed yet": (
        "core/trial.c",
        "count - 1 - (rank - batch)",
        "count - 1 - rank",
    ),
    "kept where another page is": ("core/trial.c", "pages - 1 - rank;", "pages - 1;"),
    "kept in a page of the list": ("core/trial.c", "if (listed < page) break;", "if (listed <= page) break;"),
    "kept by an entry that was not read": ("core/trial.c", "        if (listed >= SPB_PAGES) return listed;\n", ""),
    "kept where no page is free": (
        "core/trial.h",
        "SPB_PART_PAGES - SPB_JOURNAL_BATCH : 0u",
        "SPB_PAGES : 0u",
    ),
    "on trial without a mark": ("core/trial.c", "return j->marked && ", "return "),
    "on trial without an end": ("core/trial.c", " && !spb_journal_finished(j);", ";"),
    "on trial, and half of OLD is kept": ("core/trial.c", "spb_journal_saved(j) >= all &&", "spb_journal_trial(j) &&"),
    "a confirmation that is not written": (
        "core/trial.c",
        "spb_journal_append(&spb_last, SPB_JOURNAL_STEP_FINISHED) : SPB_OK",
        "SPB_OK : SPB_OK",
    ),
}
_INSTALL: dict[str, Edit] = {
    "NEW not looked at": (
        "core/install.c",
        "(uint32_t)all_of(work, pages, pages->count, header);",
        "((void)pages, header);",
    ),
    "replaced without being kept": (
        "core/install.c",
        "(void)!copy_page(old, rank, old->saved, work, 1, &bare);",
        "(void)work, (void)bare;",
    ),
    "kept up to the end of NEW": (
        "core/install.c",
        "uint32_t end = save ? SPB_SLOT_SIZE : spb_slot_end(work,",
        "uint32_t end = spb_slot_end(work,",
    ),
    "kept again after it was replaced": (
        "core/install.c",
        "spb_journal_saved(j) < stop &&",
        "spb_journal_saved(j) <= stop &&",
    ),
    "kept without room for a record of it": ("core/install.c", " && spb_journal_has_room(j)", ""),
    "recorded before it is kept": (
        "core/install.c",
        "            const struct spb_pages old = spb_pages_kept(&j->pages, stop);",
        "            const struct spb_pages old = spb_pages_kept(&j->pages, stop);\n"
        "            status = spb_journal_append(j, SPB_JOURNAL_STEP_SAVED + stop);",
    ),
    "recorded before it is replaced": (
        "core/install.c",
        "if (status == SPB_OK) status = copy_pages(verdict, &j->pages, done, stop, work);",
        "if (status == SPB_OK) status = spb_journal_append(j, SPB_JOURNAL_STEP_INSTALLED + stop);\n"
        "        if (status == SPB_OK) status = copy_pages(verdict, &j->pages, done, stop, work);",
    ),
    "a trial without room": (
        "core/install.c",
        "SPB_MANIFEST_KIND_TRIAL) != 0 && spb_trial_fits(&j->pages);",
        "SPB_MANIFEST_KIND_TRIAL) != 0;",
    ),
    "a trial that nobody wants": (
        "core/install.c",
        "(work->header[SPB_MANIFEST_OFF_KIND] & SPB_MANIFEST_KIND_TRIAL) != 0 && ",
        "",
    ),
    "a start that is not counted": (
        "core/install.c",
        "SPB_JOURNAL_STEP_TRIED + 1 + tried",
        "SPB_JOURNAL_STEP_TRIED + 1",
    ),
    "a start too many": ("core/install.c", "tried >= starts", "tried > starts"),
    "OLD not looked at": (
        "core/install.c",
        "verdict = whole(work, old.saved != 0 ? &old : NULL);",
        "verdict = (whole(work, old.saved != 0 ? &old : NULL), SPB_GOOD);",
    ),
    "OLD looked for where it was": (
        "core/slot.c",
        "        if (pages->saved != 0) page = spb_trial_home(pages->count, spb_pages_rest(pages), rank);\n",
        "",
    ),
    "a page that does not come back": ("core/install.c", "&old, 0, old.saved,", "&old, 1, old.saved,"),
    "going back without an end": (
        "core/install.c",
        "return ended(j, SPB_JOURNAL_STEP_REVERTED + why, SPB_INSTALL_REVERTED);",
        "return (void)why, SPB_INSTALL_REVERTED;",
    ),
    "half an install given up": ("core/install.c", "j->begun && whole(work, NULL) != WHOLE", "false"),
}
_YMODEM: dict[str, Edit] = {
    "a name without an end": (
        "loader/ymodem.c",
        "while (i < t->len && block[i] != 0) i++;",
        "while (block[i] != 0) i++;",
    ),
    "a block too long for its place": (
        "loader/ymodem.c",
        "case STX: return receive_block(t, LONG_BLOCK);",
        "case STX: return receive_block(t, LONG_BLOCK + 1);",
    ),
    "a size that lacks a digit": ("loader/ymodem.c", "size <= (UINT32_MAX - 9) / 10", "size <= 99"),
    "more than the file has": ("loader/ymodem.c", "t->len < t->left ? t->len : t->left", "t->len"),
    "padding handed out": ("loader/ymodem.c", "if (now == 0 && bytes != block) break;", ""),
    "the CRC ignored": ("loader/ymodem.c", " || crc != (high << 8 | low)) return", ") return"),
    "a block that comes again taken twice": (
        "loader/ymodem.c",
        "if (t->number == expected && t->left != 0) {",
        "if ((t->number == expected || t->number + 1 == expected) && t->left != 0) {",
    ),
    "a block that is missing not missed": (
        "loader/ymodem.c",
        "if (t->number == expected && t->left != 0) {",
        "if (t->number >= expected && t->left != 0) {",
    ),
    "errors without an end": (
        "loader/ymodem.c",
        "while (errors++ < SPB_YMODEM_ERRORS)",
        "while (errors < SPB_YMODEM_ERRORS)",
    ),
    "an EOT believed at once": ("loader/ymodem.c", "event == END ? whole || end_seen", "event == END ? true"),
    "the refusal ignored": (
        "loader/ymodem.c",
        "if (consume(t) != SPB_OK) {",
        "if (consume(t) != SPB_OK && errors > 5) {",
    ),
}
_STICK: dict[str, Edit] = {
    "a sector behind the partition": ("usb/volume.c", "if (sector >= v->sectors) {", "if (false) {"),
    "a partition that reaches beyond the disk": ("usb/volume.c", "spb_lower(sectors, all - v->first)", "sectors"),
    "a cluster of 2^200 sectors": ("usb/volume.c", "log2 > CLUSTER_LOG2_MOST || ", ""),
    "a directory without an end": (
        "usb/directory.c",
        "if (d->off == SPB_DIRECTORY_SECTORS * SPB_SECTOR_SIZE) return false;",
        "",
    ),
    "a long name of FAT too long for its place": ("usb/directory.c", " || part > SPB_NAME_PARTS", ""),
    "a name of exFAT too long for its place": ("usb/directory.c", "b[3] <= SPB_NAME_MOST ? b[3] : 0", "b[3]"),
    "a name that speaks to the terminal": ("usb/directory.c", "(letter >= ' ' && letter <= '~')", "letter < 0x80"),
    "a name with a dot in front": ("usb/directory.c", "*name != '.' && ", ""),
    "a file begun twice": ("usb/stick.c", "if (s->tried[i] == s->file.cluster) return true;", "(void)s->tried[i];"),
    "files begun without an end": ("usb/stick.c", "if (s->tries == SPB_STICK_TRIES) return SPB_SOURCE_NONE;", ""),
    "more than the file has": (
        "usb/stick.c",
        "len = spb_lower(size - done, SPB_SECTOR_SIZE),",
        "len = SPB_SECTOR_SIZE,",
    ),
    "a file without its end called done": ("usb/stick.c", "done < size;) {", "done + SPB_SECTOR_SIZE < size;) {"),
    "a damaged file begun": ("usb/stick.c", "    if (end != SPB_SOURCE_DONE) return end;\n", "    (void)end;\n"),
}
_STORAGE: dict[str, Edit] = {
    "a descriptor of more than is left": ("usb/usb.c", " && bytes[*at] <= len - *at", ""),
    "a configuration of more than came": ("usb/usb.c", " || bytes[0] > len", ""),
    "a short interface": ("usb/usb.c", "one[0] >= INTERFACE_LEN", "one[0] >= 2"),
    "a short endpoint": ("usb/usb.c", "one[0] >= ENDPOINT_LEN && ", ""),
    "endpoint 0": ("usb/usb.c", "(endpoint[2] & 15) == 0 || ", ""),
    "any size of a packet": ("usb/usb.c", " || !packet_size(size)", ""),
    "any size of the first packet": ("usb/usb.c", " || !packet_size(data[7])", ""),
    "more than there is room for": (
        "usb/usb.c",
        "spb_lower(spb_field_u16(data + 2), SPB_USB_DESCRIPTORS)",
        "spb_field_u16(data + 2)",
    ),
    "any tag": ("usb/storage.c", " || s.u.words[1] != s.tag", ""),
    "any status": ("usb/storage.c", "return s.u.bytes[12] == 0 && ", "return "),
    "half of a sector": ("usb/storage.c", "s.u.words[2] == 0 && (uint32_t)got == len", "s.u.words[2] == 0"),
    "a sector behind the end": ("usb/storage.c", "lba >= s.sectors", "lba > s.sectors"),
}
PLANTED: dict[str, dict[str, Edit]] = {
    "decoder": _DECODER,
    "manifest": _MANIFEST,
    "payload": _PAYLOAD,
    "journal": _JOURNAL,
    "install": _INSTALL,
    "ymodem": _YMODEM,
    "stick": _STICK,
    "storage": _STORAGE,
}
"""By parser."""
