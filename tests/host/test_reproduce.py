"""`spboot reproduce` of releases: made again without the signing key, and what differs is said; of bootloaders see
tests/system/test_dossier.py."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from spboot import releases, reproduce
from spboot.errors import BuildError
from spboot.keys import Keys
from spboot.making import Making, postbuild
from spboot.releases import Release
from spboot.version import Version

from .conftest import BOARD, TARGET
from .supply import application, boot_folder, kept, record
from .test_cli import Run, run  # noqa: F401


@pytest.fixture
def boot(tmp_path: Path, secrets: Keys) -> Path:
    return boot_folder(tmp_path / "boot", secrets)


@pytest.fixture
def last(tmp_path: Path, secrets: Keys, boot: Path) -> Release:
    """The newest of three releases."""
    return kept(tmp_path / "releases", secrets, boot)[-1]


def changed(release: Release, kind: str) -> str:
    """One byte at the end of the file of *kind* is another, and release.json knows: its name."""
    item = next(each for each in release.items if each.kind == kind)
    path = release.folder / item.file
    data = bytearray(path.read_bytes())
    data[-1 if kind == "factory" else data.index(bytes([2]) * 40)] ^= 1
    path.write_bytes(data)
    fresh = releases.item(path, item.kind, item.base)
    items = tuple(fresh if each is item else each for each in release.items)
    (release.folder / releases.FILE).write_text(dataclasses.replace(release, items=items).text())
    return item.file


def test_a_release_is_made_again_without_its_signing_key(last: Release, secrets: Keys, boot: Path) -> None:
    made = reproduce.of_release(last, BOARD, dataclasses.replace(secrets, signing=None), boot)
    assert made.same and not made.reasons
    assert [each.name for each in made.files] == sorted([*(item.file for item in last.items), "release.json"])
    assert "PrivateKey" not in repr(reproduce._Kept.of(secrets, last)) and secrets.encryption.hex() not in repr(made)


def test_a_dirty_release_is_one_in_a_folder_of_any_name(tmp_path: Path, secrets: Keys, boot: Path) -> None:
    (tmp_path / "app.elf").write_bytes(application(0))
    making = Making(
        app=tmp_path / "app.elf", board=BOARD, keys=secrets, version=Version(1, 0, 0), name="lamp", bootloader=boot,
        dirty=True,
    )  # fmt: skip
    postbuild(making, tmp_path / "releases", [])
    (folder,) = (tmp_path / "releases").iterdir()
    made = reproduce.of_release(Release.load(folder.rename(tmp_path / "lamp")), BOARD, secrets, boot)
    assert made.same and not made.reasons


def test_what_differs_is_said(last: Release, secrets: Keys, boot: Path) -> None:
    name = changed(last, "factory")
    made = reproduce.of_release(Release.load(last.folder), BOARD, secrets, boot)
    assert not made.same
    assert [each.name for each in made.files if each.at is not None] == [name, "release.json"]


def test_another_application_was_never_signed(last: Release, secrets: Keys, boot: Path) -> None:
    changed(last, "application")
    made = reproduce.of_release(Release.load(last.folder), BOARD, secrets, boot)
    assert not made.same and not made.files
    assert "another than the one that was signed" in made.reasons[0]


def test_a_file_that_is_in_one_making_only(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "x").write_bytes(b"12")
    (tmp_path / "b" / "x").write_bytes(b"123")
    (tmp_path / "b" / "y").write_bytes(b"")
    found = list(reproduce._compare(tmp_path / "a", tmp_path / "b", [Path("x"), Path("y")]))
    assert [str(each) for each in found] == ["x: differs from byte 2 on", "y: the first making has none"]


def test_what_the_records_say_of_a_difference() -> None:
    first = record()
    sources = {**first.sources, "crypto/aes.c": "00", "crypto/new.c": "00"}
    second = record(spboot="0.2.0", compiler_version="clang version 23", sources=sources, generated={})
    assert list(reproduce._changed(first, first)) == []
    assert list(reproduce._changed(first, second)) == [
        "spboot was 0.1.0, is 0.2.0",
        "the compiler was clang version 22.1.8, ziglang 0.17.1, is clang version 23",
        "another source: crypto/aes.c, crypto/new.c",
        "another generated file (board, part or formats): core/spb_config.h",
    ]


def test_a_base_that_is_gone(last: Release, secrets: Keys, boot: Path) -> None:
    shutil.rmtree(last.folder.parent / f"lamp_{TARGET}_1.0.0")
    with pytest.raises(BuildError, match=r"there is no release 1\.0\.0, from which a patch of 1\.2\.0 starts"):
        reproduce.of_release(last, BOARD, secrets, boot)


def test_the_command(run: Run, last: Release, key_folder: Path, boot: Path) -> None:  # noqa: F811
    words = ("reproduce", last.folder, "--keys", key_folder, "--bootloader", boot)
    code, out, err = run(*words)
    assert (code, err) == (0, "") and "all 8 files are the same, byte for byte" in out
    assert "lamp_NUCLEO-L476RG_1.2.0.sfb: the same" in run(*words, "-v")[1]
    name = changed(last, "factory")
    code, out, err = run(*words, "--json")
    assert code == 1 and f"{name}: differs from byte" in err
    assert json.loads(out)["different"] == [name, "release.json"]
    assert run(*words[:-2])[0] == 2
