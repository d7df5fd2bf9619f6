"""Bugs that the fuzzers must find: what a decoder with one check less looks like."""

from __future__ import annotations

import shutil
from pathlib import Path

from spboot.formats.spec import data_path

PLANTED = {
    "OLD read beyond its end by a new copy": ("delta.c", "from_new ? d->np : d->image.size", "from_new ? d->np : ~0u"),
    "OLD read beyond its end by a copy that goes on": (
        "delta.c",
        "d->copying == OLD && source(d) >= d->image.size",
        "false",
    ),
    "NEW read where nothing was put": ("delta.c", "from_new ? d->np : d->image.size", "from_new ? ~0u : d->image.size"),
    "a copy from NEW taken for one from OLD": (
        "delta.c",
        "(d->copying == OLD ? d->image.size : d->np) - at",
        "d->image.size - at",
    ),
    "four bytes read where fewer are left": ("delta.c", "if (len > 4) len = 4;", "len = 4;"),
    "reference longer than the room in NEW": ("delta.c", "len < room ? len : room", "len"),
    "OLD compared beyond its end": ("delta.c", " || d->image.size - from < 4", ""),
    "NEW compared beyond what was put": ("delta.c", " || d->np - to < 4", ""),
    "copy that puts nothing": ("delta.c", "fresh ? SPB_E_PARSER_ERROR : SPB_OK", "SPB_OK"),
    "step begun with too few bytes": (
        "delta.c",
        "d->range.end - SPB_DELTA_STEP_SIZE)",
        "d->range.end - SPB_DELTA_STEP_SIZE / 8)",
    ),
    "start with too few bytes": ("delta.c", "last || len >= SPB_DELTA_STEP_SIZE)", "last || len > 0)"),
    "stream read beyond its end": ("range.c", "r->in < r->end", "r->in <= r->end"),
    "tail of the stream ignored": ("delta.c", "last && d->range.in == d->range.end ? SPB_OK", "last ? SPB_OK"),
    "error of put() ignored": ("delta.c", "--len > 0 && status == SPB_OK", "--len > 0"),
    "literals counted beyond the models": ("delta.c", "d->literals < 3", "d->literals < 5"),
    "long run beyond the models": ("delta.c", "d->run_bits < 7 && ", ""),
    "move put behind the last": ("moves.c", "if (hole < at) at--;", ""),
    "one move too many": ("moves.c", "m->count < SPB_DELTA_MOVES", "m->count <= SPB_DELTA_MOVES"),
}
"""What is wrong -> file of firmware/core, text, what stands there instead."""


def plant(name: str, folder: Path) -> Path:
    """Our firmware with that bug, below *folder*."""
    file, old, new = PLANTED[name]
    firmware = folder / "firmware"
    shutil.copytree(data_path("firmware"), firmware)
    source = firmware / "core" / file
    text = source.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file}: {old!r} is there {text.count(old)} times, expected once"
    source.write_text(text.replace(old, new), encoding="utf-8")
    return firmware
