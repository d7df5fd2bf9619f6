"""Would the tests of this folder see a mistake?  Each mutant is one; one test at least must fail for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edits import edited_firmware
from tests.planted import PLANTED

ALSO_PLANTED = {
    "manifest": ("a kind that nobody knows",),
    "install": (
        "recorded before it is replaced",
        "replaced without being kept",
        "kept up to the end of NEW",
        "a trial that nobody wants",
        "a start that is not counted",
        "a start too many",
        "OLD not looked at",
        "a page that does not come back",
        "going back without an end",
        "half an install given up",
        "OLD looked for where it was",
    ),
    "journal": (
        "kept where another page is",
        "on trial without a mark",
        "a confirmation that is not written",
    ),
}
"""Those that the fuzzers and the proofs are shown as well (tests/planted.py), by parser."""
MUTANTS = {
    **{
        name: (PLANTED[parser][name][0].removeprefix("core/"), *PLANTED[parser][name][1:])
        for parser, names in ALSO_PLANTED.items()
        for name in names
    },
    "chunk hash not compared": ("engine.c", "memcmp(hash, e->payload.expect, sizeof hash) != 0", "false"),
    "signature not checked": ("engine.c", "spb_header_verify(e->header, &e->work.slot.p256);", "SPB_GOOD;"),
    "more signatures, another key, a trailer": (
        "manifest.c",
        "SPB_MANIFEST_U32(m, SIGNATURE_COUNT) != SPB_MANIFEST_SIGNATURE_COUNT",
        "false",
    ),
    "any format": ("manifest.c", "m[SPB_MANIFEST_OFF_FORMAT] != SPB_FORMAT || ", ""),
    "product and board not checked": (
        "engine.c",
        "(status = spb_manifest_fits(e->header)) != SPB_OK) return status;\n    if (spb_rotation(e))",
        "false) return status;\n    if (spb_rotation(e))",
    ),
    "version not checked": (
        "engine.c",
        "(status = version_fits(e, floor)) != SPB_OK) return status;\n    if ((status = base_fits",
        "false) return status;\n    if ((status = base_fits",
    ),
    "base not checked": ("engine.c", "(status = base_fits(e, active_header)) != SPB_OK", "false"),
    "old commit survives a new download": (
        "engine.c",
        "    if (!SPB_SINGLE_SLOT && status == SPB_OK) status = spb_journal_erase();\n    while",
        "    while",
    ),
    "starts not counted": ("engine.c", "    e->starts++;\n", ""),
    "starts without end": ("engine.c", "if (e->starts == SPB_ENGINE_STARTS)", "if (false)"),
    "vectors not looked at": ("engine.c", "if (!spb_slot_can_start(", "if (false && !spb_slot_can_start("),
    "stack pointer not looked at": ("slot.c", "if (stack >= stacks[i][0] && stack <= stacks[i][1])", "if (i == 0)"),
    "vectors read back from nowhere": ("engine.c", "e->vectors_len < SPB_VECTORS_SIZE ? e->vectors[off]", "false ? 0"),
    "failed commit not undone": ("engine.c", " && spb_journal_erase() == SPB_OK) {", ") {"),
    "install known by its mark alone": ("journal.h", "return (j->marked | j->begun) != 0;", "return j->marked != 0;"),
    "begin of an install not recorded": (
        "install.c",
        "return spb_journal_append(j, trial ? SPB_JOURNAL_STEP_SAVED : SPB_JOURNAL_STEP_INSTALLED);",
        "return trial ? spb_journal_append(j, SPB_JOURNAL_STEP_SAVED) : SPB_OK;",
    ),
    "flash touched before the version is known": (
        "engine.c",
        "    again = floor_once(e);\n",
        "    again = floor_once(e);\n    if ((status = spb_journal_erase()) != SPB_OK) return status;\n",
    ),
    "page opened without what came before": (
        "candidate.c",
        "    if (!SPB_SINGLE_SLOT) c->len = start;\n",
        "",
    ),
    "last unit not written": ("candidate.c", "while (c->open && UNIT_OFF", "while (false && UNIT_OFF"),
    "unwritten unit read from flash": ("candidate.c", "if (c->open && off >= c->len - UNIT_OFF(c->len))", "if (false)"),
    "torn record appended over": (
        "journal.c",
        "if (step == SPB_ENTRY_ERASED) continue;",
        "if (step == SPB_ENTRY_ERASED || step == SPB_ENTRY_NONE) continue;",
    ),
    "commit not bound to its header": (
        "journal.c",
        "mark[SPB_JOURNAL_MARK_OFF_CHECK / 4] == signature;",
        "mark[SPB_JOURNAL_MARK_OFF_CHECK / 4] != 0;",
    ),
    "image not verified before install": (
        "install.c",
        "(uint32_t)all_of(work, pages, pages->count, header);",
        "header;",
    ),
    "older image installed": ("manifest.c", "(v - floor))) >> 31;", "(v - floor))) >> 31 & 0;"),
    "install stops one page early": ("install.c", "while (rank < stop && status", "while (rank + 1 < stop && status"),
    "header in SLOT1 not erased before the journal": (
        "engine.c",
        "    if (!SPB_SINGLE_SLOT) status = spb_area_erase(&spb_slot1, 0, SPB_PAGE_SIZE);\n"
        "    if (!SPB_SINGLE_SLOT && status == SPB_OK) status = spb_journal_erase();\n",
        "    if (!SPB_SINGLE_SLOT) status = spb_journal_erase();\n"
        "    if (!SPB_SINGLE_SLOT && status == SPB_OK) status = spb_area_erase(&spb_slot1, 0, SPB_PAGE_SIZE);\n",
    ),
    "kept where a page is to be installed yet": ("trial.c", "(rank - batch)", "rank"),
    "trial begun before OLD is kept": ("trial.c", "spb_journal_saved(j) >= all && ", ""),
    "copy begins outside": (
        "delta.c",
        "    if (source(d) >= source_end(d, !from_new)) return SPB_E_PARSER_ERROR;\n",
        "",
    ),
    "copy ends before its first byte": ("delta.c", "return fresh ? SPB_E_PARSER_ERROR : SPB_OK;", "return SPB_OK;"),
    "more announced than is left": (
        "delta.c",
        "    if (units > room / SPB_DELTA_SURE_UNIT) return SPB_E_PARSER_ERROR;\n",
        "",
    ),
    "told target out of reach": (
        "delta.c",
        "if (!spb_reference_write(ref, &word, at, ref->target + moved)) return SPB_E_PARSER_ERROR;",
        "(void)spb_reference_write(ref, &word, at, ref->target + moved);",
    ),
    "second guess preferred too often": ("delta.c", "looks_alike(d, ref->target, g.first) < 0 && ", ""),
    "copy does not prove itself": ("delta.c", "#define PROVEN 8u", "#define PROVEN 9u"),
    "announced again without a surprise": ("delta.c", "d->ask_at = NEVER;", "d->ask_at = d->np + 1;"),
    "any move goes": ("moves.c", "        found = i;\n", ""),
    "ages stay when the clock goes back": ("moves.c", "(uint8_t)m->key_age[i] >> 1;", "(uint8_t)m->key_age[i];"),
    "use keeps no move": (
        "moves.c",
        "    if (nearer != own && nearer->distance != NONE) touch(m, upper - 1 + above);\n",
        "",
    ),
    "tie goes up": ("moves.c", "sides[1].distance < sides[0].distance", "sides[1].distance <= sides[0].distance"),
    "a bit of MOVW goes elsewhere": ("reference.c", "{26, 1, 11}", "{26, 1, 10}"),
    "pointer behind the image is none": ("reference.c", "image->size + SPB_REFERENCE_BEYOND", "image->size"),
    "key of a torn record": ("keys.c", "    counts &= whole;\n", ""),
    "record without a hash": ("keys.c", "counts |= readable && spb_slot_same(", "counts |= readable || spb_slot_same("),
    "second hash not written by the next boot": ("keys.c", "if (counts && readable && step == 0)", "if (false)"),
    "torn record of a key written over": ("keys.c", "*used |= step | !readable;", "*used |= at == 0 ? 0 : counts;"),
    "key not the newest": (
        "keys.c",
        "if (look(work, off, &used)) found",
        "if (look(work, off, &used) && off == 0) found",
    ),
    "any header is pinned": (
        "keys.c",
        "return spb_slot_same(header, key() + SPB_KEYS_OFF_PINNED, SPB_KEYS_SIZEOF_PINNED);",
        "return (void)header, SPB_GOOD;",
    ),
    "erased flash is pinned": ("keys.c", "if (spb_manifest_shape(work->header) == SPB_OK) {", "if (true) {"),
    "nothing is pinned": ("keys.c", "if (pinned != NULL) memcpy", "if (false) memcpy"),
    "place of a key not taken by a cut": ("keys.c", "    spb_keys.next = off + SPB_KEYS_SIZE;\n", ""),
    "area of keys without an end": (
        "keys.c",
        "if (off >= SPB_KEYS_RECORDS * SPB_KEYS_SIZE) return",
        "false) return",
    ),
    "key not read back": ("keys.c", "if (memcmp(there, table, SPB_KEYS_SIZEOF_TABLE) != 0", "if (false"),
    "key in protected flash": ("keys.c", "if (!spb_area_writable(&spb_keys_area)) return", "false) return"),
    "key counts with the next boot only": ("keys.c", "    spb_keys.key = (uintptr_t)there;\n", ""),
    "index of a key goes back": ("rotation.c", "if (spb_word(index) <= spb_keys_index()) return", "false) return"),
    "key while an update is under way": ("rotation.c", "if (spb_journal_committed(&spb_last) && ", "if (false && "),
    "key of any size": ("rotation.c", "SPB_MANIFEST_U32(m, IMAGE_SIZE) == SPB_KEYS_SIZEOF_TABLE && ", ""),
    "pinned image is an update": (
        "install.c",
        "    return spb_slot_vouch(work);\n}\n\n/* Of its bytes",
        "    return spb_slot_trust(work);\n}\n\n/* Of its bytes",
    ),
    "OLD of the old key does not come back": (
        "install.c",
        "return spb_slot_trust(work);",
        "return spb_slot_vouch(work);",
    ),
    "version of the old key is a floor": (
        "engine.c",
        "if (SPB_KEYS_RECORDS > 0 && spb_keys_pinned(",
        "if (false && spb_keys_pinned(",
    ),
    "key that is there taken again": (
        "engine.c",
        "if (spb_rotation(e) && spb_keys_have(",
        "if (false && spb_keys_have(",
    ),
    "second part not judged": ("slot.h", "found += spb_slot_rest_hashed(work, pages) - SPB_GOOD;", "found += 0;"),
    "one leaf for all": ("slot.c", "leaf = 1u << SPB_EXTENSION_LEAF_LOG2", "leaf = SPB_REST_SIZE"),
    "second part of the base not compared": (
        "engine.c",
        "spb_word(base + 4) == spb_word(header + SPB_MANIFEST_OFF_EXTERNAL_HASH)",
        "true",
    ),
    "second part as large as it says": ("manifest.c", "SPB_MANIFEST_U32(m, EXTERNAL_SIZE) > SPB_REST_SIZE", "false"),
    "last unit of the first part forgotten": (
        "candidate.c",
        "    enum spb_status status = spb_candidate_finish(c);\n    c->len = SPB_PART_SIZE;",
        "    enum spb_status status = SPB_OK;\n    c->len = SPB_PART_SIZE;",
    ),
    "a step over the border of two parts": (
        "journal.c",
        "spb_lower(rest, rank + SPB_JOURNAL_REST_BATCH)",
        "spb_lower(list->count, rank + SPB_JOURNAL_REST_BATCH)",
    ),
    "a trial without room in one part": ("trial.h", "(SPB_PARTS == 1 || spb_trial_parts_fit(list))", "true"),
    "kept in the other part": ("trial.c", "        pages = SPB_PART_PAGES;\n", ""),
    "OLD sealed as NEW": ("install.c", "    if (SPB_SEALED) spb_seal_open(spb_area_start(&spb_slot0));\n", ""),
    "NEW opened as OLD": ("install.c", "    if (SPB_SEALED) spb_seal_open(work->header);\n", ""),
    "code that waits is not sealed": (
        "candidate.c",
        "    if (SPB_SEALED) spb_seal(off, c->unit, SPB_WRITE_SIZE);\n",
        "",
    ),
    "one key stream for all images": (
        "seal.c",
        "    memcpy(seal.seed + SECRET, seal.stream, COUNT_OFF - SECRET);\n",
        "",
    ),
    "no secret in the key stream": (
        "seal.c",
        "    spb_sha256_final(&sha, seal.seed);\n",
        "    spb_sha256_final(&sha, seal.stream);\n",
    ),
    "a block with a page that stays": (
        "install.c",
        "spb_pages_at(high) - spb_pages_at(high - more) == more ?",
        "spb_pages_at(high) - spb_pages_at(high - more) < SPB_BLOCK_PAGES ?",
    ),
    "erased before it is saved": ("install.c", "spb_lower(stop, rest) - 1 - rank", "rest - 1 - rank"),
    "kept over what is to come": (
        "install.c",
        "    if (save) high += SPB_JOURNAL_REST_BATCH;\n",
        "    if (save) high += 0;\n",
    ),
    "a batch of two blocks": ("journal.c", "block_of(spb_pages_at(last - rank)) == block", "true"),
    "erased up to a page too far": ("candidate.c", "= page + SPB_BLOCK_PAGES;", "= page + SPB_BLOCK_PAGES + 1u;"),
    "a block of which some is ours": (
        "candidate.c",
        "((page - SPB_PART_PAGES) & (SPB_BLOCK_PAGES - 1u)) == 0",
        "((page - SPB_PART_PAGES) & (SPB_BLOCK_PAGES - 1u)) == 1u",
    ),
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
