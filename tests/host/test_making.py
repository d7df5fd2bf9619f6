"""`spboot postbuild`: a folder for a version, whole or not at all; see tests/system for updates by what is in it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from spboot import release, releases, reproduce
from spboot.boards import Board
from spboot.builder import personal
from spboot.builder.bootloader import needed
from spboot.errors import AuthenticationError, BuildError, FormatError, KeyFolderError, VersionError
from spboot.formats import program
from spboot.image import Image
from spboot.keys import Keys
from spboot.keys.signer import FolderKey
from spboot.making import Making, check_release, postbuild
from spboot.releases import Release
from spboot.version import Version

from . import bootloader, elf
from .conftest import BOARD, NEW_APP, OLD_APP, TARGET
from .test_cli import Run, run  # noqa: F401
from .test_gitversion import Repository

VERSIONS = ("1.0.0", "1.1.0", "1.2.0")


def application(number: int) -> bytes:
    """The ELF of version *number*."""
    return elf.make([(BOARD.image_address, OLD_APP[:900] + bytes([number]) * 40 + NEW_APP[900:])])


Maker = Callable[..., Making]


@pytest.fixture
def making(tmp_path: Path, secrets: Keys) -> Maker:
    """Makes a Making of a version, whose files lie in the folder "in"."""
    place = tmp_path / "in"
    place.mkdir()
    (place / f"spboot-{TARGET}.bin").write_bytes(personal.finish(bootloader.make(TARGET), secrets))

    def make(version: str, **change: object) -> Making:
        app = place / f"app-{version}.elf"
        app.write_bytes(application(Version.parse(version).pack() >> 8 & 0xFF))
        facts = {"app": app, "board": BOARD, "keys": secrets, "name": "lamp", "bootloader": place}
        return Making(**{**facts, "version": Version.parse(version), **change})  # type: ignore[arg-type]

    return make


def kept(making: Maker, folder: Path) -> list[Release]:
    for version in VERSIONS:
        postbuild(making(version), folder, releases.all_in(folder))
    return releases.all_in(folder)


def test_a_folder_has_all_that_a_version_needs(making: Maker, tmp_path: Path, secrets: Keys) -> None:
    found = kept(making, tmp_path / "releases")
    assert [str(each.version) for each in found] == list(VERSIONS)
    last = found[-1]
    assert [item.file for item in last.items] == [
        "BOOT_lamp_NUCLEO-L476RG_1.2.0.hex",
        "BOOT_lamp_NUCLEO-L476RG_1.2.0.bin",
        "BOOT_lamp_NUCLEO-L476RG_1.2.0.elf",
        "lamp_NUCLEO-L476RG_1.2.0.sfb",
        "lamp_NUCLEO-L476RG_1.0.0_to_1.2.0.sfbp",
        "lamp_NUCLEO-L476RG_1.1.0_to_1.2.0.sfbp",
        "lamp_NUCLEO-L476RG_1.2.0.elf",
    ]
    assert sorted(path.name for path in last.folder.iterdir()) == sorted(
        [*(i.file for i in last.items), "release.json"]
    )
    image = Image.load(last.path(last.application), BOARD, last.version)
    assert release.verify(last.path(last.image).read_bytes(), secrets, board=BOARD).image == image.data
    for base, item in zip(found, last.patches, strict=False):
        old = Image.load(base.path(base.application), BOARD, base.version)
        assert item.base == base.version
        assert release.verify(last.path(item).read_bytes(), secrets, old=old).image == image.data
    assert last.image.pages and last.image.seconds
    assert all(item.pages and item.seconds and item.seconds < last.image.seconds for item in last.patches)
    factory = [program.load(last.path(item), BOARD.bootloader.address) for item in last.items[:3]]
    assert {each.segments[-1].data[-len(image.data) :] for each in factory} == {image.data}


def test_a_signer_is_asked_once_for_each_update(making: Maker, tmp_path: Path, secrets: Keys) -> None:
    """One whose signatures are random, as those of most tokens: the factory file has that of the full image."""
    asked: list[bytes] = []

    class Random:
        def sign(self, digest: bytes) -> bytes:
            assert isinstance(secrets.signing, FolderKey)
            asked.append(digest)
            return secrets.signing.key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))

    first = postbuild(making("1.0.0"), tmp_path / "out")
    made = postbuild(making("1.1.0", keys=replace(secrets, signing=Random())), tmp_path / "out", [first])
    assert len(asked) == len(set(asked)) == 2
    factory = program.load(made.path(made.items[0]), BOARD.bootloader.address).segments
    header = release.header_for(made.path(made.image).read_bytes())
    assert next(each.data[: len(header)] for each in factory if each.address == BOARD.slot0.address) == header
    assert reproduce.of_release(made, BOARD, secrets, tmp_path / "in").same


def test_the_same_is_made_of_the_same(making: Maker, tmp_path: Path) -> None:
    first, second = (kept(making, tmp_path / name)[-1] for name in "ab")
    assert first.text() == second.text()
    assert Release.load(first.folder) == first


def test_a_build_replaces_the_one_before(making: Maker, tmp_path: Path) -> None:
    kept(making, tmp_path / "releases")
    first = postbuild(making("1.3.0"), tmp_path / "out", releases.all_in(tmp_path / "releases"))
    (first.folder / "note.txt").write_text("left by hand")
    again = postbuild(making("1.3.0"), tmp_path / "out", ())
    assert again.folder == first.folder and not again.patches
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [first.folder.name]
    assert not (again.folder / "note.txt").exists() and not list(again.folder.glob("*.sfbp"))


def test_a_failure_leaves_the_old_folder(making: Maker, tmp_path: Path) -> None:
    made = postbuild(making("1.0.0"), tmp_path / "out")
    before = {path.name: path.read_bytes() for path in made.folder.iterdir()}
    bad = making("1.0.0")
    bad.app.write_bytes(elf.make([(BOARD.image_address + 0x100, bytes(100))]))
    with pytest.raises(FormatError):
        postbuild(bad, tmp_path / "out")
    damaged = making("1.1.0")
    postbuild(damaged, tmp_path / "out")
    (made.folder / made.application.file).write_bytes(application(9))
    with pytest.raises(AuthenticationError, match=r"lamp_NUCLEO-L476RG_1\.0\.0\.elf: SHA-256 is .* restore it"):
        postbuild(making("1.2.0"), tmp_path / "out", releases.all_in(tmp_path / "out"))
    (made.folder / made.application.file).write_bytes(before[made.application.file])
    assert {path.name: path.read_bytes() for path in made.folder.iterdir()} == before
    assert not [path.name for path in (tmp_path / "out").iterdir() if "1.2.0" in path.name]


def test_what_a_dead_program_left_is_mended(making: Maker, tmp_path: Path) -> None:
    """It died between taking the old folder away and putting the new one there."""
    made = postbuild(making("1.0.0"), tmp_path / "out")
    made.folder.rename(tmp_path / "out" / f".{made.folder.name}.old")
    (tmp_path / "out" / f".{made.folder.name}.part").mkdir()
    assert releases.all_in(tmp_path / "out") == [made]
    postbuild(making("1.0.0"), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [made.folder.name]


def test_other_boards_and_products_lie_beside(making: Maker, tmp_path: Path) -> None:
    postbuild(making("1.0.0"), tmp_path / "out")
    postbuild(making("1.0.0", name="shade"), tmp_path / "out")
    assert len(releases.all_in(tmp_path / "out")) == 2
    assert [each.name for each in releases.all_in(tmp_path / "out", name="shade", board=TARGET)] == ["shade"]
    assert releases.all_in(tmp_path / "out", board="DISCO-F769I") == []
    assert releases.all_in(tmp_path / "none") == []


def test_a_single_slot_takes_no_patches(making: Maker, tmp_path: Path, secrets: Keys) -> None:
    board = Board.load("NUCLEO-L412KB")
    (tmp_path / "in" / f"spboot-{board.name}.bin").write_bytes(personal.finish(bootloader.make(board.name), secrets))
    for version in ("1.0.0", "1.1.0"):
        one = making(version, board=board)
        one.app.write_bytes(elf.make([(board.image_address, _startable(board, one.version.minor))]))
        made = postbuild(one, tmp_path / "out", releases.all_in(tmp_path / "out"))
    assert not made.patches


def _startable(board: Board, number: int) -> bytes:
    from tests import apps

    return apps.startable(board, bytes([number]) * 400)


def test_what_a_release_may_not_be(making: Maker, tmp_path: Path) -> None:
    Keys.new(tmp_path / "dev", "demo", development=True)
    first = postbuild(making("1.0.0"), tmp_path / "releases")
    check_release(making("1.0.1"), [first])
    with pytest.raises(KeyFolderError, match="development keys"):
        check_release(making("1.0.1", keys=Keys.load(tmp_path / "dev")), [])
    with pytest.raises(VersionError, match="files differ from the commit"):
        check_release(making("1.0.1", dirty=True), [])
    with pytest.raises(VersionError, match=r"1\.0\.0 was released already"):
        check_release(making("1.0.0"), [first])


def test_a_bootloader_that_is_not_there_or_of_others(making: Maker, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"in: there is no bootloader for DISCO-F769I: make it with `spboot build`"):
        needed(tmp_path / "in", Board.load("DISCO-F769I"))
    stranger = Keys.new(tmp_path / "stranger", "demo")
    with pytest.raises(BuildError, match="holds other keys"):
        postbuild(making("1.0.0", keys=stranger), tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


ONE = {"file": "a", "kind": "image", "size": 1, "sha256": "00" * 32}
GOOD = {
    "format": 1, "name": "lamp", "board": TARGET, "product": "demo", "version": "1.0.0", "git": None,
    "development": False,
    "items": [
        {"file": "a.sfb", "kind": "image", "size": 1, "sha256": "00" * 32},
        {"file": "a.elf", "kind": "application", "size": 1, "sha256": "00" * 32},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "format is 2, expected 1"),
        ({"name": 5}, "name is 5, expected text"),
        ({"version": "1.x"}, "version: version is '1.x'"),
        ({"development": "no"}, "development is 'no', expected true or false"),
        ({"items": {}}, "items is {}, expected a list"),
        ({"items": []}, "expected one item of kind 'image'"),
        ({"items": [{"file": "../a.sfb", "kind": "image"}]}, "file is '../a.sfb', expected a name without a folder"),
        ({"items": [{"file": "a", "kind": "rom"}]}, "kind is 'rom', expected one of"),
        ({"items": [{"file": "a", "kind": "image", "size": -1}]}, "size is -1, expected a number of 0 or more"),
        ({"items": [{"file": "a", "kind": "image", "size": True}]}, "size is True"),
        ({"items": [{**ONE, "sha256": "xyz"}]}, "sha256 is 'xyz', expected 64 hex digits"),
        ({"items": [{**ONE, "seconds": -1}]}, "seconds is -1, expected a number of 0 or more"),
        ({"items": [{**ONE, "seconds": 10**400}]}, ", expected a number of 0 or more"),
        ({"items": [{**ONE, "seconds": True}]}, "seconds is True"),
        ({"git": False}, "git is False, expected text"),
        ({"items": [{**ONE, "pages": 1.5}]}, "pages is 1.5, expected a number of 0 or more"),
        ({"items": [{**ONE, "kind": "patch"}]}, "base is None, expected text"),
        ({"items": [{**ONE, "kind": "patch", "base": "1.0.0"}]}, "starts from 1.0.0, expected less than 1.0.0"),
        ({"items": ["a"]}, "an item is 'a', expected a table"),
    ],
)
def test_a_list_with_a_mistake(tmp_path: Path, change: dict[str, object], words: str) -> None:
    (tmp_path / "release.json").write_text(json.dumps(GOOD))
    assert Release.load(tmp_path).version == Version(1, 0, 0)
    (tmp_path / "release.json").write_text(json.dumps(GOOD | change))
    with pytest.raises(FormatError) as error:
        Release.load(tmp_path)
    assert words in str(error.value) and "release.json" in str(error.value)


def test_a_list_that_is_none(tmp_path: Path) -> None:
    for text in ("", "[]", "nonsense", "[" * 100_000):
        (tmp_path / "release.json").write_text(text)
        with pytest.raises(FormatError, match=r"release\.json: "):
            Release.load(tmp_path)


# the command


@pytest.fixture
def project(run: Run, secrets: Keys, key_folder: Path) -> Path:  # noqa: F811
    """A repository with a project file, here."""
    repository = Repository(Path("lamp").absolute())
    repository.tag("v1.0.0")
    os.chdir(repository.folder)
    assert run("init", "--board", TARGET, "--keys", key_folder)[0] == 0
    (repository.folder / "boot").mkdir()
    (repository.folder / "boot" / f"spboot-{TARGET}.bin").write_bytes(personal.finish(bootloader.make(TARGET), secrets))
    return repository.folder


def test_a_day(run: Run, project: Path) -> None:  # noqa: F811
    """A build, a release, changes, and the next; by git alone."""
    repository = Repository.__new__(Repository)
    repository.folder = project
    Path("app.elf").write_bytes(application(0))
    code, out, err = run("postbuild", "app.elf")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "out/lamp_NUCLEO-L476RG_1.0.0: lamp 1.0.0 for NUCLEO-L476RG"
    assert run("postbuild", "app.elf", "--release")[0] == 0
    code, _, err = run("postbuild", "app.elf", "--release")
    assert code == 1 and "1.0.0 was released already (releases/lamp_NUCLEO-L476RG_1.0.0)" in err
    repository.commit()
    repository.change()
    Path("app.elf").write_bytes(application(1))
    code, out, _ = run("postbuild", "app.elf", "--json")
    facts = json.loads(out)
    assert facts["version"] == "1.0.1" and facts["folder"] == "out/lamp_NUCLEO-L476RG_1.0.1-dirty"
    assert "lamp_NUCLEO-L476RG_1.0.0_to_1.0.1.sfbp" in facts["files"]
    code, _, err = run("postbuild", "app.elf", "--release")
    assert code == 1 and "files differ from the commit" in err
    assert sorted(path.name for path in Path("releases").iterdir()) == ["lamp_NUCLEO-L476RG_1.0.0"]
    repository.git("commit", "--quiet", "-am", "more")
    repository.tag("v1.1.0")
    code, out, _ = run("postbuild", "app.elf", "--release", "-v")
    assert code == 0 and "patch from 1.0.0" in out and "lamp_NUCLEO-L476RG_1.1.0.sfb: " in out
    assert run("postbuild", "app.elf", "-o", "o", "--last", "0", "--version", "1.2.0", "-q") == (0, "", "")
    assert not list(Path("o/lamp_NUCLEO-L476RG_1.2.0").glob("*.sfbp"))
