"""Would the tests of this folder see a mistake?  Each mutant is one; one test at least must fail for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edits import Edit, edited_firmware

_VOLUME, _DIRECTORY, _STICK, _ENGINE = "usb/volume.c", "usb/directory.c", "usb/stick.c", "core/engine.c"
MUTANTS: dict[str, Edit] = {
    "odd entries of FAT12": (_VOLUME, "    if (nibble % 2 != 0) value >>= 4;\n", ""),
    "FAT12 above its clusters": (_VOLUME, "#define FAT12_BELOW 4085u", "#define FAT12_BELOW 40850u"),
    "FAT16 above its clusters": (_VOLUME, "#define FAT16_BELOW 65525u", "#define FAT16_BELOW 655250u"),
    "half of a cluster's number": (_DIRECTORY, "(v->nibbles == 8 ? spb_field_u16(b + 20) << 16 : 0)", "0"),
    "the FAT of a file without a chain": (_VOLUME, "c->flat ? c->cluster + 1 : follow", "false ? 0 : follow"),
    "no chain of a file in pieces": (_VOLUME, "c->flat ? c->cluster + 1 : follow", "true ? c->cluster + 1 : follow"),
    "a partition of any type": (_VOLUME, "spb_field_u32(b) != GPT_BASIC_DATA || ", ""),
    "one type of partition forgotten": (_VOLUME, "#define MBR_TYPES 0x58D2u", "#define MBR_TYPES 0x18D2u"),
    "exFAT taken for NTFS": (_VOLUME, "#define MBR_TYPES 0x58D2u", "#define MBR_TYPES 0x5852u"),
    "sectors of another size": (_VOLUME, "spb_field_u16(b + 11) != SPB_SECTOR_SIZE || ", ""),
    "sectors of another size, exFAT": (_VOLUME, "b[108] != 9 || ", ""),
    "three sectors in a cluster": (_VOLUME, " || (spc & (spc - 1)) != 0", ""),
    "nothing reserved": (_VOLUME, " || reserved == 0", ""),
    "clusters in front of the FAT": (_VOLUME, "return v->fat < v->data && ", "return "),
    "an end that is none": (_VOLUME, "v->trouble = UNREADABLE;", "v->trouble = SPB_TEXT_NONE;"),
    "a hidden file": (_DIRECTORY, "(HIDDEN | SYSTEM", "(SYSTEM"),
    "a file of the system": (_DIRECTORY, "| SYSTEM |", "|"),
    "a folder": (_DIRECTORY, "| FOLDER)", ")"),
    "a label": (_DIRECTORY, "| LABEL |", "|"),
    "a deleted file": (_DIRECTORY, "return b[0] != FAT_DELETED && ", "return "),
    "a name beside a file": (_DIRECTORY, "*name != '.' && ", ""),
    "a long name of another file": (_DIRECTORY, "d->parts != 0 || d->sum != sum", "d->parts != 0"),
    "a set of entries with a wrong sum": (_DIRECTORY, " && d->sum == d->expected", ""),
    "small letters": (_DIRECTORY, "letter += 0x20;", "letter += 0;"),
    "a file above 4 GB": (
        _DIRECTORY,
        "spb_field_u32(b + 12) == 0 ? spb_field_u32(b + 8) : UINT32_MAX",
        "spb_field_u32(b + 8)",
    ),
    "a type that goes on": (_DIRECTORY, "[type] ? type + 1 : 0", "[type] ? type + 1 : type"),
    "the place in a part of a name": (_DIRECTORY, "if (off == 26) off = 28;", ""),
    "the lowest version": (_STICK, "return version > s->version ||", "return version < s->version ||"),
    "the largest file": (_STICK, "s->file.size < s->best.size", "s->file.size > s->best.size"),
    "a file that failed again": (_STICK, "return was_tried(s) ? TRIED : FITS;", "return FITS;"),
    "files without a last one": (_STICK, "if (s->tries == SPB_STICK_TRIES) return SPB_SOURCE_NONE;", ""),
    "a file that is shorter than it says": (_STICK, "if (payload != wanted) status", "if (payload > wanted) status"),
    "words for each file": (_STICK, "if (files++ < SPB_STICK_LINES) tell", "if (files++ < 255) tell"),
    "bytes behind the end": (_STICK, "len = spb_lower(size - done, SPB_SECTOR_SIZE),", "len = SPB_SECTOR_SIZE,"),
    "a file that is not looked through": (_STICK, "    if (end != SPB_SOURCE_DONE) return end;\n", "    (void)end;\n"),
    "chunks that are not compared": (
        "core/payload.c",
        "p->block > 0 && memcmp(hash, p->expect, sizeof hash) != 0",
        "p->block > 0 && false",
    ),
    "a manifest from before": (_STICK, "e->header[SPB_MANIFEST_OFF_MAGIC] = 0;", "(void)e;"),
    "a payload of any size": (
        _ENGINE,
        "    if (SPB_MANIFEST_U32(e->header, PAYLOAD_SIZE) > 2 * SPB_SLOT_SIZE) return SPB_E_IMAGE_TOO_LARGE;\n"
        "    if ((status = spb_manifest_fits",
        "    if ((status = spb_manifest_fits",
    ),
    "a patch for another firmware": (
        _ENGINE,
        "    return base_fits(e, spb_area_start(&spb_slot0));",
        "    return SPB_OK;",
    ),
    "no floor": (
        _ENGINE,
        "    e->active = active;\n    return floor_once(e);",
        "    e->active = active;\n    return 0;",
    ),
}


@pytest.mark.soak
@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_seen(name: str, tmp_path: Path) -> None:
    firmware = edited_firmware(tmp_path, [MUTANTS[name]])
    of_files = MUTANTS[name][0] in (_VOLUME, _DIRECTORY)
    file = Path(__file__).with_name("test_volumes.py" if of_files else "test_picker.py")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", str(file)]
    environment = os.environ | {"SPBOOT_TEST_FIRMWARE": str(firmware)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 1, f"{name}: {done.stdout[-2000:]}"


def test_every_mutant_can_be_made(tmp_path: Path) -> None:
    """A source that changed is seen before a long run."""
    for number, edit in enumerate(MUTANTS.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        edited_firmware(folder, [edit])
