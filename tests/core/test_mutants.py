"""Would the tests of this folder see a mistake?  Each mutant is one; one test at least must fail for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edits import edited_firmware

MUTANTS = {
    "chunk hash not compared": ("engine.c", "memcmp(hash, e->payload.expect, sizeof hash) != 0", "false"),
    "signature not checked": ("engine.c", "spb_header_verify(e->header, &e->work.slot.p256);", "SPB_GOOD;"),
    "more signatures, another key, a trailer": (
        "manifest.c",
        "SPB_MANIFEST_U32(m, SIGNATURE_COUNT) != SPB_MANIFEST_SIGNATURE_COUNT",
        "false",
    ),
    "kinds to come": ("manifest.c", " || kind > SPB_MANIFEST_KIND_PATCH", ""),
    "any format": ("manifest.c", "m[SPB_MANIFEST_OFF_FORMAT] != SPB_FORMAT || ", ""),
    "product and board not checked": ("engine.c", "(status = spb_manifest_fits(e->header)) != SPB_OK", "false"),
    "version not checked": ("engine.c", "(status = version_fits(e, floor)) != SPB_OK", "false"),
    "base not checked": ("engine.c", "(status = base_fits(e, active_header)) != SPB_OK", "false"),
    "old commit survives a new download": (
        "engine.c",
        "    if (!SPB_SINGLE_SLOT) status = spb_journal_erase();\n    while",
        "    while",
    ),
    "starts not counted": ("engine.c", "    e->starts++;\n", ""),
    "starts without end": ("engine.c", "if (e->starts == SPB_ENGINE_STARTS)", "if (false)"),
    "vectors not looked at": ("engine.c", "if (!spb_slot_can_start(", "if (false && !spb_slot_can_start("),
    "stack pointer not looked at": ("slot.c", "if (stack >= stacks[i][0] && stack <= stacks[i][1])", "if (i == 0)"),
    "vectors read back from nowhere": ("engine.c", "e->vectors_len < SPB_VECTORS_SIZE ? e->vectors[off]", "false ? 0"),
    "failed commit not undone": ("engine.c", " && spb_journal_erase() == SPB_OK) {", ") {"),
    "install known by its mark alone": ("journal.c", "    j->committed = j->begun;\n", ""),
    "begin of an install not recorded": (
        "install.c",
        "j->begun ? SPB_OK : spb_journal_append(j, SPB_JOURNAL_DONE(0))",
        "SPB_OK",
    ),
    "flash touched before the version is known": (
        "engine.c",
        "    if ((status = version_fits(e, floor)) != SPB_OK) return status;",
        "    if ((status = spb_journal_erase()) != SPB_OK) return status;\n"
        "    if ((status = version_fits(e, floor)) != SPB_OK) return status;",
    ),
    "page opened without what came before": (
        "candidate.c",
        "if (!SPB_SINGLE_SLOT && c->len > start) {",
        "if (false) {",
    ),
    "last unit not written": ("candidate.c", "if (rest == 0 ||", "if (rest != 0 ||"),
    "unwritten unit read from flash": ("candidate.c", "if (c->open && off >= c->len - UNIT_OFF(c->len))", "if (false)"),
    "torn record appended over": (
        "journal.c",
        "        j->next = off + SPB_ENTRY_UNIT;\n"
        "        if (step < SPB_JOURNAL_STEP || step == SPB_ENTRY_NONE) continue;",
        "        if (step < SPB_JOURNAL_STEP || step == SPB_ENTRY_NONE) continue;\n"
        "        j->next = off + SPB_ENTRY_UNIT;",
    ),
    "commit not bound to its header": ("journal.c", "MARK_OFF_CHECK) == mark_check(header);", "MARK_OFF_CHECK) != 0;"),
    "step recorded before the page": (
        "install.c",
        "        if (off < end) status = copy_page(off, len, end);",
        "        status = spb_journal_append(j, SPB_JOURNAL_DONE(nth));\n"
        "        if (off < end && status == SPB_OK) status = copy_page(off, len, end);",
    ),
    "image not verified before install": (
        "install.c",
        "(uint32_t)spb_slot_match(work, pages, pages->count);",
        "SPB_GOOD; (void)pages;",
    ),
    "older image installed": ("manifest.c", "(v - floor))) >> 31;", "(v - floor))) >> 31 & 0;"),
    "install stops one page early": ("install.c", "while (nth < all && status", "while (nth + 1 < all && status"),
    "copy begins outside": (
        "delta.c",
        "    if (source(d) >= (from_new ? d->np : d->image.size)) return SPB_E_PARSER_ERROR;\n",
        "",
    ),
    "copy ends before its first byte": ("delta.c", "return fresh ? SPB_E_PARSER_ERROR : SPB_OK;", "return SPB_OK;"),
    "more announced than is left": (
        "delta.c",
        "    if (units > (d->new_len - d->np) / SPB_DELTA_SURE_UNIT) return SPB_E_PARSER_ERROR;\n",
        "",
    ),
    "told target out of reach": (
        "delta.c",
        "if (!spb_reference_write(ref, &word, at, ref->target + moved)) return SPB_E_PARSER_ERROR;",
        "(void)spb_reference_write(ref, &word, at, ref->target + moved);",
    ),
    "second guess preferred too often": ("delta.c", "looks_alike(d, ref->target, g.first) < 0 && ", ""),
    "copy does not prove itself": ("delta.c", "#define PROVEN 8u", "#define PROVEN 9u"),
    "announced again without a surprise": ("delta.c", "    d->asked = true;\n", ""),
    "any move goes": ("moves.c", "        found = i;\n", ""),
    "ages stay when the clock goes back": ("moves.c", "(uint8_t)m->key_age[i] >> 1;", "(uint8_t)m->key_age[i];"),
    "use keeps no move": (
        "moves.c",
        "    if (nearer != own && nearer->distance != NONE) touch(m, upper - 1 + above);\n",
        "",
    ),
    "tie goes up": ("moves.c", "sides[1].distance < sides[0].distance", "sides[1].distance <= sides[0].distance"),
    "a bit of MOVW goes elsewhere": ("reference.c", "{26, 1, 11}", "{26, 1, 10}"),
    "pointer behind the image is none": ("reference.c", "image->size + BEYOND", "image->size"),
    "tail of the stream ignored": (
        "delta.c",
        "return last && d->range.in == d->range.end ? SPB_OK : SPB_E_PARSER_ERROR;",
        "return SPB_OK;",
    ),
}


def mutant(name: str, folder: Path) -> Path:
    file, old, new = MUTANTS[name]
    return edited_firmware(folder, [(f"core/{file}", old, new)])


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_one_of_this_code(name: str, tmp_path: Path) -> None:
    """A source that changed is seen before a long run."""
    mutant(name, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_seen(name: str, tmp_path: Path) -> None:
    firmware = mutant(name, tmp_path)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        str(Path(__file__).parent),
        "-m",
        "not soak",
        "--deselect",
        str(Path(__file__).with_name("test_sanitized.py")),
    ]
    done = subprocess.run(
        command, env=os.environ | {"SPBOOT_TEST_FIRMWARE": str(firmware)}, capture_output=True, text=True
    )
    assert done.returncode != 0, f"nobody saw it: {done.stdout[-500:]}"
    assert "Error" not in done.stdout or "AssertionError" in done.stdout, f"it did not even run: {done.stdout[-2000:]}"
