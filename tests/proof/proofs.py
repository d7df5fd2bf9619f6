"""What is proven: a harness, the sources it is about, the bounds, and bugs that it must find."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.edits import Edit


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One harness.  *numbers*: of the generated headers, without SPB_.  *edits* make a bound smaller, or put a contract
    in the place of a function that another harness proves.  *wraps*: text whose unsigned arithmetic wraps and is meant
    to; *modulo*: files that calculate modulo 2^32 and cut numbers throughout.
    *planted*: bugs by what is wrong.  *quick*: in `make test`."""

    sources: tuple[str, ...] = ()
    unwind: int
    loops: tuple[str, ...] = ()
    numbers: dict[str, int] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()
    wraps: tuple[tuple[str, str], ...] = ()
    modulo: tuple[str, ...] = ()
    planted: dict[str, Edit] = field(default_factory=dict)
    quick: bool = True


_YMODEM = "loader/ymodem.c"
_MEMORY = "boot/memory.c"
_MEMORY_WRAPS = (
    (_MEMORY, "while (len--) t[len] = f[len];"),
    (_MEMORY, "while (len--) t[len] = (uint8_t)value;"),
)
_CRC = (_YMODEM, "static uint16_t crc16(", "static uint16_t real_crc16(")
_YMODEM_WRAPS = (
    (_YMODEM, "crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);"),
    (_YMODEM, "(digit = block[i] - (uint32_t)'0')"),
    (_YMODEM, "t->left = size != 0 ? size : UNKNOWN;"),
)

PROOFS = {
    "manifest": Proof(
        sources=("core/manifest.c",),
        unwind=129,
        wraps=(
            ("core/manifest.c", "while (len--) any |= *p++;"),
            ("core/manifest.c", "return ((~v & floor) | ((~v | floor) & (v - floor))) >> 31;"),
        ),
        planted={
            "an empty last chunk": ("core/manifest.c", "last >= 1 && ", ""),
            "an image over the end of the slot": (
                "core/manifest.c",
                "> SPB_SLOT_SIZE - SPB_VECTOR_SIZE) return",
                "> SPB_SLOT_SIZE) return",
            ),
            "a kind that nobody knows": ("core/manifest.c", " || kind > SPB_MANIFEST_KIND_PATCH", ""),
            "the board is no part of the misfit": (
                "core/manifest.c",
                "return product | (spb_word(m + SPB_MANIFEST_OFF_TARGET) ^ spb_port.target);",
                "return product;",
            ),
            "versions compared as if they had signs": (
                "core/manifest.c",
                "return ((~v & floor) | ((~v | floor) & (v - floor))) >> 31;",
                "return (uint32_t)((int32_t)v < (int32_t)floor);",
            ),
            "chunk 0 is not signed": (
                "core/manifest.c",
                "spb_sha256(header, SPB_HEADER_OFF_SIGNATURE, hash)",
                "spb_sha256(header, SPB_MANIFEST_SIZE, hash)",
            ),
        },
    ),
    "payload": Proof(
        sources=("core/payload.c", _MEMORY),
        unwind=49,
        numbers={"CHUNK_DATA_SIZE": 48},
        wraps=_MEMORY_WRAPS[:1],
        planted={
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
            "unread bytes left where they were": (
                "core/payload.c",
                "memmove(chunk(p) - rest,",
                "memmove(chunk(p) - p->carry,",
            ),
        },
    ),
    "journal": Proof(
        sources=("core/journal.c", "core/pages.c", "core/flash.c", _MEMORY),
        unwind=17,
        loops=("memset.0:40",),
        numbers={"JOURNAL_SIZE": 64, "SLOT_SIZE": 0x1000, "PART_SIZE": 0x1000},
        edits=(("core/journal.c", "#define SPARE 16u", "#define SPARE 3u"),),
        wraps=(
            *_MEMORY_WRAPS,
            ("core/flash.c", "len - 1u < SPB_READ_MAX"),
        ),
        planted={
            "the part's end forgotten": ("core/flash.c", " || len > part->size - *off", ""),
            "an entry without its complement": ("core/pages.c", "value == ~unit[0] >> 16 ?", "value != 1 ?"),
            "a search that stands still": ("core/pages.c", "low = middle + 1;", "low = middle;"),
            "a search beyond the list": ("core/pages.c", "(low + high) / 2", "(low + high + 1) / 2"),
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
        },
    ),
    "range": Proof(
        unwind=9,
        planted={
            "stream read beyond its end": ("core/range.c", "r->in < r->end", "r->in <= r->end"),
            "a model that becomes certain": (
                "core/range.c",
                "p -= p * rate[n] >> 8;",
                "p -= (p * rate[n] + 255) >> 8;",
            ),
            "range left too small": ("core/range.c", "while (range < 1u << 24) {", "if (range < 1u << 24) {"),
        },
    ),
    "numbers": Proof(
        unwind=33,
        edits=(("core/range.c", "static uint32_t decide(", "static uint32_t real_decide("),),
        wraps=(("core/range.c", "while (bits--) {"),),
        planted={
            "a model behind the tree": (
                "core/range.c",
                "spb_range_bit(r, first + m - 1)",
                "spb_range_bit(r, first + m)",
            ),
            "a decision too many": ("core/range.c", "while (m >> bits == 0);", "while (m >> bits <= 1);"),
        },
    ),
    "moves": Proof(
        sources=("core/moves.c",),
        unwind=33,
        numbers={"DELTA_MOVES": 32},
        modulo=("core/moves.c",),
        planted={
            "one move too many": ("core/moves.c", "m->count < SPB_DELTA_MOVES", "m->count <= SPB_DELTA_MOVES"),
            "the search beyond the last": ("core/moves.c", "high <= m->count && ", ""),
        },
    ),
    "delta": Proof(
        sources=("core/moves.c", "core/reference.c", _MEMORY),
        unwind=12,
        numbers={"DELTA_MOVES": 2},
        edits=(("core/delta.c", "memset(d, 0, sizeof *d);", "*d = (struct spb_delta){0};"),),
        wraps=_MEMORY_WRAPS,
        modulo=("core/delta.c", "core/moves.c", "core/reference.c"),
        planted={
            "OLD read beyond its end": ("core/delta.c", "d->copying == OLD && source(d) >= d->image.size", "false"),
            "NEW read where nothing was put": (
                "core/delta.c",
                "from_new ? d->np : d->image.size",
                "from_new ? ~0u : d->image.size",
            ),
            "a reference longer than the room in NEW": ("core/delta.c", "len < room ? len : room", "len"),
            "OLD compared beyond its end": ("core/delta.c", " || d->image.size - from < 4", ""),
            "NEW compared beyond what was put": ("core/delta.c", " || d->np - to < 4", ""),
            "long run beyond the models": ("core/delta.c", "d->run_bits < 7 && ", ""),
            "error of put() ignored": ("core/delta.c", "--len > 0 && status == SPB_OK", "--len > 0"),
        },
    ),
    "ymodem": Proof(
        unwind=18,
        edits=(
            _CRC,
            (_YMODEM, "#define LONG_BLOCK 1024u", "#define LONG_BLOCK 16u"),
            (_YMODEM, "#define SHORT_BLOCK 128u", "#define SHORT_BLOCK 8u"),
        ),
        wraps=_YMODEM_WRAPS,
        planted={
            "a name without an end": (
                _YMODEM,
                "while (i < t->len && block[i] != 0) i++;",
                "while (block[i] != 0) i++;",
            ),
            "a size of many digits": (_YMODEM, " && size <= (UINT32_MAX - 9) / 10) size", ") size"),
            "more than the file has": (_YMODEM, "t->len < t->left ? t->len : t->left", "t->len"),
            "the block filled too far": (
                _YMODEM,
                "for (uint32_t i = 0; i < len; i++) {",
                "for (uint32_t i = 0; i <= len; i++) {",
            ),
            "a piece longer than the rest": (
                _YMODEM,
                "if (now == 0 || now > len) now = len;",
                "if (now == 0) now = len;",
            ),
            "a babbler without an end": (_YMODEM, " && spb_line_ms() - start < 4 * BYTE_MS) {}", ") {}"),
            "another polynomial": (_YMODEM, "0x1021", "0x1020"),
        },
    ),
    "transfer": Proof(
        unwind=9,
        loops=("receive_file.0:34",),
        wraps=(
            (_YMODEM, "while (tries--) {"),
            (
                _YMODEM,
                "if (spb_source_begin(t.left != UNKNOWN ? t.left : 0) != SPB_OK) return stop(SPB_SOURCE_REFUSED);",
            ),
        ),
        edits=(
            (_YMODEM, "static void purge(void) {", "static void purge(void);\nstatic void real_purge(void) {"),
            (
                _YMODEM,
                "static enum event receive(struct transfer *t, uint32_t timeout_ms) {",
                "static enum event receive(struct transfer *t, uint32_t timeout_ms);\n"
                "static enum event real_receive(struct transfer *t, uint32_t timeout_ms) {",
            ),
            (
                _YMODEM,
                "static void read_size(struct transfer *t) {",
                "static void read_size(struct transfer *t);\nstatic void real_read_size(struct transfer *t) {",
            ),
            (
                _YMODEM,
                "static enum spb_status consume(struct transfer *t) {",
                "static enum spb_status consume(struct transfer *t);\n"
                "static enum spb_status real_consume(struct transfer *t) {",
            ),
        ),
        planted={
            "errors without an end": (
                _YMODEM,
                "while (errors++ < SPB_YMODEM_ERRORS)",
                "while (errors < SPB_YMODEM_ERRORS)",
            ),
            "the refusal ignored": (
                _YMODEM,
                "if (consume(t) != SPB_OK) {",
                "if (consume(t) != SPB_OK && errors > 5) {",
            ),
            "a whole file called an error": (
                _YMODEM,
                " && spb_source_wanted() == 0 ? SPB_SOURCE_DONE",
                " && t.len == 0 ? SPB_SOURCE_DONE",
            ),
        },
    ),
}
