"""What is proven: a harness, the sources it is about, the bounds, and bugs that it must find."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.edits import Edit
from tests.planted import PLANTED


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


def _those(parser: str, *names: str) -> dict[str, Edit]:
    """Of the bugs that a fuzzer must find, too."""
    return {name: PLANTED[parser][name] for name in names}


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
_VOLUME = "usb/volume.c"
_DIRECTORY = "usb/directory.c"
_OPEN_AT = "static bool open_at(struct spb_volume *v, uint32_t first, uint32_t sectors)"

PROOFS = {
    "manifest": Proof(
        sources=("core/manifest.c",),
        unwind=129,
        wraps=(
            ("core/manifest.c", "while (len--) any |= *p++;"),
            ("core/manifest.c", "return ((~v & floor) | ((~v | floor) & (v - floor))) >> 31;"),
        ),
        planted={
            **_those(
                "manifest",
                "an empty last chunk",
                "an image over the end of the slot",
                "a kind that nobody knows",
                "chunk 0 is not signed",
            ),
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
        },
    ),
    "payload": Proof(
        sources=("core/payload.c", _MEMORY),
        unwind=49,
        numbers={"CHUNK_DATA_SIZE": 48},
        wraps=_MEMORY_WRAPS[:1],
        planted=_those(
            "payload",
            "a chunk filled one byte too far",
            "the last chunk taken for a full one",
            "a whole last chunk taken for one with a hash",
            "unread bytes left where they were",
        ),
    ),
    "journal": Proof(
        sources=("core/journal.c", "core/pages.c", "core/flash.c", _MEMORY),
        unwind=17,
        loops=("memset.0:48",),
        numbers={"JOURNAL_SIZE": 64, "SLOT_SIZE": 0x1000, "PART_SIZE": 0x1000},
        edits=(("core/journal.h", "#define SPB_JOURNAL_SPARE 16u", "#define SPB_JOURNAL_SPARE 3u"),),
        wraps=(
            *_MEMORY_WRAPS,
            ("core/flash.c", "len - 1u < SPB_READ_MAX"),
        ),
        planted={
            **_those(
                "journal",
                "the part's end forgotten",
                "an entry without its complement",
                "a search that stands still",
                "a record where one stands",
                "a full journal written on",
                "a step that is not found again",
                "a step taken back by a lower one",
                "an end that a full journal forgets",
                "a failure written over the list",
            ),
            "a search beyond the list": ("core/pages.c", "(low + high) / 2", "(low + high + 1) / 2"),
        },
    ),
    "trial": Proof(
        sources=("core/trial.c", _MEMORY),
        unwind=25,
        numbers={"JOURNAL_STEPS": 3, "SLOT_SIZE": 0xC000, "PART_SIZE": 0xC000},
        wraps=(("core/trial.c", "page--;"),),
        planted=_those(
            "journal",
            "kept where a page is to be installed yet",
            "kept where another page is",
            "kept in a page of the list",
            "kept by an entry that was not read",
            "kept where no page is free",
            "on trial without a mark",
            "on trial without an end",
            "on trial, and half of OLD is kept",
            "a confirmation that is not written",
        ),
    ),
    "range": Proof(
        unwind=9,
        planted={
            **_those("decoder", "stream read beyond its end"),
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
            **_those("decoder", "one move too many"),
            "the search beyond the last": ("core/moves.c", "high <= m->count && ", ""),
        },
    ),
    "delta": Proof(
        sources=("core/moves.c", "core/reference.c", _MEMORY),
        unwind=14,
        numbers={"DELTA_MOVES": 2},
        loops=("as_it_is.0:130",),
        edits=(("core/delta.c", "memset(d, 0, sizeof *d);", "*d = (struct spb_delta){0};"),),
        wraps=_MEMORY_WRAPS,
        modulo=("core/delta.c", "core/moves.c", "core/position.h", "core/reference.c"),
        quick=False,  # of stream 3: it had not ended after seven minutes
        planted=_those(
            "decoder",
            "OLD read beyond its end by a copy that goes on",
            "NEW read where nothing was put",
            "reference longer than the room in NEW",
            "OLD compared beyond its end",
            "more taken as it is than OLD has",
            "NEW compared beyond what was put",
            "long run beyond the models",
            "error of put() ignored",
        ),
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
            **_those("ymodem", "a name without an end", "more than the file has"),
            "a size of many digits": (_YMODEM, " && size <= (UINT32_MAX - 9) / 10) size", ") size"),
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
            **_those("ymodem", "errors without an end", "the refusal ignored"),
            "blocks behind the named end taken": (
                _YMODEM,
                "t->number == expected && t->left != 0",
                "t->number == expected",
            ),
            "a whole file called an error": (
                _YMODEM,
                " && spb_source_wanted() == 0 ? SPB_SOURCE_DONE",
                " && t.len == 0 ? SPB_SOURCE_DONE",
            ),
        },
    ),
    "volume": Proof(
        sources=(_MEMORY,),
        unwind=33,
        loops=("follow.0:5", "open_fat.0:9", "open_gpt.0:3", "open_mbr.0:5"),
        edits=(
            (_VOLUME, "#define GPT_ENTRIES_MOST 128u", "#define GPT_ENTRIES_MOST 2u"),
            (_VOLUME, f"{_OPEN_AT} {{", f"{_OPEN_AT};\n{_OPEN_AT.replace('open_at', 'real_open_at')} {{"),
        ),
        wraps=_MEMORY_WRAPS,
        planted={
            **_those(
                "stick",
                "a sector behind the partition",
                "a partition that reaches beyond the disk",
                "a cluster of 2^200 sectors",
            ),
            "a FAT larger than the volume": (_VOLUME, " || size > all / 4", ""),
            "a root larger than the volume": (_VOLUME, "reserved + root_sectors > all - before", "false"),
            "clusters behind the end": (_VOLUME, " || v->clusters > (v->sectors - v->data) >> log2", ""),
            "a FAT that ends before its entries": (
                _VOLUME,
                " && entries < v->data - v->fat;",
                " && entries < v->data;",
            ),
            "more clusters than numbers": (
                _VOLUME,
                " || v->clusters > CLUSTERS_MOST) return false;",
                ") return false;",
            ),
            "a cluster behind the last": (_VOLUME, "cluster - 2 >= v->clusters)", "cluster - 2 > v->clusters)"),
            "a partition that ends before it begins": (_VOLUME, "first == 0 || last < first", "first == 0"),
        },
    ),
    "directory": Proof(
        sources=(_MEMORY,),
        unwind=67,
        loops=("memset.0:80", "spb_directory_next.0:3", "follow.0:5"),
        wraps=_MEMORY_WRAPS,
        planted={
            **_those(
                "stick",
                "a long name of FAT too long for its place",
                "a name of exFAT too long for its place",
                "a name that speaks to the terminal",
                "a name with a dot in front",
            ),
            "a sum of more bits": (_DIRECTORY, "+ byte) & ((1u << bits) - 1);", "+ byte);"),
            "an entry that is read beyond its sector": (
                _DIRECTORY,
                "b += d->off % SPB_SECTOR_SIZE;",
                "b += d->off + 4;",
            ),
        },
    ),
}
