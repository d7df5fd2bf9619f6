"""The choice: firmware and host by the same random sets of files, a chain that ends, updates that are installed."""

from __future__ import annotations

import hashlib
import random
import re
from pathlib import Path

import pytest

from spboot import release, stick
from spboot.boards import Board
from spboot.builder.personal import personal_area
from spboot.choice import Installed
from spboot.formats import payload
from spboot.formats.manifest import name_id
from spboot.formats.signature import SIGNATURE_SIZE
from spboot.formats.spec import data_path, record, spec
from spboot.keys import Keys
from spboot.stick import FITS, File, Look
from spboot.version import Version
from tests import apps
from tests.core.conftest import edited, firmware_like
from tests.usb import disks
from tests.usb.disks import FORMATS
from tests.usb.host import Host

LINES = 16
SETS = 60
STICK = FORMATS[0]
VERSIONS = [Version(1, 0, patch) for patch in range(8)]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.new(tmp_path_factory.mktemp("keys") / "lamp", "lamp", development=True)


def test_numbers_are_those_of_the_firmware() -> None:
    text = (data_path("firmware") / "usb/stick.h").read_text()
    numbers = dict(re.findall(r"#define SPB_STICK_(\w+) (\d+)u", text))
    assert numbers == {"TRIES": str(stick.TRIES), "FILES": str(stick.MOST), "LINES": str(LINES)}


def hash_of(version: Version, variant: int = 0) -> bytes:
    return hashlib.sha256(f"{version} {variant}".encode()).digest()


def unsigned(board: Board, rnd: random.Random, version: Version, base: Version | None, **changes: int) -> bytes:
    """A file whose manifest alone is one.  *changes*: what is wrong with it."""
    wire, _ = payload.build(rnd.randbytes(rnd.choice((1, 100, 512, 513, 984))))
    variant = rnd.random() < 0.1
    values: dict[str, int | bytes] = {
        "magic": spec()["manifest"]["magic"], "format": spec()["format"], "kind": int(base is not None),
        "signature_count": 1, "key_index": 0, "trailer_size": 0, "product": name_id("lamp"),
        "target": name_id(board.name), "version": version.pack(), "image_size": 5000, "payload_size": len(wire),
        "base_version": base.pack() if base else 0, "base_hash": hash_of(base, variant)[:8] if base else bytes(8),
        "salt": rnd.randbytes(4), "image_hash": hash_of(version),
    }  # fmt: skip
    more = changes.pop("more", 0)
    body = rnd.randbytes(SIGNATURE_SIZE) + wire + rnd.randbytes(1)
    return record("manifest").pack(**(values | changes)) + body[: len(body) - 1 + more]


WRONG: tuple[dict[str, int], ...] = (
    {"magic": 0x5054}, {"format": 9}, {"kind": 2}, {"kind": 0x41}, {"signature_count": 2}, {"key_index": 1},
    {"trailer_size": 1}, {"product": 5}, {"target": 5}, {"image_size": 7}, {"image_size": 1 << 24}, {"more": 1},
    {"more": 1}, {"more": 1},    {"more": -1}, {"more": -5}, {"more": -9}, {"payload_size": 0}, {"payload_size": 520},
    {"payload_size": 1 << 30}, {"base_version": 1},
    {"kind": 0x80},
)  # fmt: skip


def random_files(board: Board, seed: int) -> dict[str, bytes]:
    rnd = random.Random(seed)
    files: dict[str, bytes] = {}
    for number in range(rnd.choice((0, 1, 3, 6, 12, 20))):
        version = rnd.choice(VERSIONS)
        base = rnd.choice([None, *(each for each in VERSIONS if each < version)])
        changes = rnd.choice(WRONG) if rnd.random() < 0.25 else {}
        data = unsigned(board, rnd, version, base, **changes)
        files[f"{number:02}.sfb{'p' * (base is not None)}"] = (
            data if rnd.random() < 0.97 else data[: rnd.randrange(150)]
        )
    return files


def cells(board: Board, installed: Installed) -> bytes:
    """What SLOT0 begins with: a header that nobody signed, for a device that has looked at it already."""
    return unsigned(board, random.Random(0), installed.version, None)


def lines(looks: tuple[Look, ...]) -> list[str]:
    """What the device prints of these, where each file that it begins is installed."""
    found: list[str] = []
    for look in looks:
        found += [f"  {file}" for file in look.files[:LINES]]
        found += [f"  and {len(look.files) - LINES} more"] * (len(look.files) > LINES)
        taken = look.taken
        if taken is None:
            found.append("USB stick: no update for this device")
        else:
            found.append(f"USB stick: taking {taken.path.name}, version {taken.version}, {taken.size} bytes")
    return found


@pytest.mark.parametrize("seed", range(SETS))
def test_k2_firmware_and_host_choose_alike(
    seed: int, board: Board, keys: Keys, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one set of files: the same verdicts in the same words, the same choice, and a chain of at most as many steps
    as there are files."""
    monkeypatch.setattr(stick, "_failure", lambda path, keys: "")
    files = random_files(board, seed)
    volume = disks.make_volume(tmp_path / "volume", STICK)
    disks.fill(volume, STICK, files)
    folder = tmp_path / "volume.files"
    folder.mkdir(exist_ok=True)
    installed = Installed(version=VERSIONS[seed % 3], hash=hash_of(VERSIONS[seed % 3])[:8], whole=seed % 4 != 0)
    if not installed.whole:
        installed = Installed(version=Version(0, 0, 0), whole=False)
    looks = stick.chain(folder, board, keys, installed)
    said = host.run("choose", volume, cells(board, installed), personal_area(keys), active=installed.whole)
    assert said == lines(looks)
    taken = [look.taken.version for look in looks if look.taken and look.taken.version]
    assert len(taken) <= len(files)
    assert taken == sorted(set(taken)), "versions grow"


def test_the_random_sets_have_all_there_is(board: Board, tmp_path: Path) -> None:
    """Else the other test would show little: every refusal but those that need another board, and chains."""
    seen: set[str] = set()
    for seed in range(SETS):
        for name, data in random_files(board, seed).items():
            for whole in (True, False):
                installed = Installed(version=VERSIONS[seed % 3], hash=hash_of(VERSIONS[seed % 3])[:8], whole=whole)
                seen.add(stick.judge(Path(name), data, board, "lamp", installed).verdict)
    names = {name for name, text in spec()["status"]["codes"] if text in seen}
    assert seen >= {FITS}
    assert names == {
        "INVALID_PATCH_IMAGE", "UNSUPPORTED", "IMAGE_TOO_LARGE", "IMAGE_TOO_SMALL", "INVALID_SECTION_KEY",
        "WRONG_BOARD", "IMAGE_VERSION_FAILURE", "SAME_VERSION", "SECTION_NOT_AVAILABLE", "INVALID_SOURCE_IMAGE",
        "TOO_FEW_BYTES", "TOO_MANY_BYTES",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["B-L072Z-LRWAN1", "DISCO-F469I-EXT", "NUCLEO-L412KB"])
def test_other_boards(name: str, keys: Keys, tmp_path: Path) -> None:
    """Of a single slot, and of slots of two parts, by hand: there is no stick at the first."""
    board = Board.load(name)
    rnd = random.Random(3)
    data = unsigned(board, rnd, VERSIONS[1], VERSIONS[0])
    verdict = stick.judge(Path("x.sfbp"), data, board, "lamp", Installed(version=VERSIONS[0])).verdict
    if board.slot0.rest:
        assert verdict == "needs another bootloader"
    elif board.slot1 is None:
        assert verdict == "single slot: send a full image to the loader"
    else:
        assert verdict == FITS


class Shelf:
    """Real updates for *board*, and where they lie."""

    def __init__(self, board: Board, keys: Keys, folder: Path) -> None:
        self.board, self.keys, self.folder = board, keys, folder
        folder.mkdir()
        one = apps.startable(board, firmware_like(1, 9000))
        self.images = {"1.0.0": one, "1.1.0": edited(one, 3000), "1.2.0": edited(one, 3000, 5000) + b"tail"}

    def image(self, version: str) -> bytes:
        return apps.forced_image(
            self.images[version], target=self.board.name, keys=self.keys, version=Version.parse(version)
        )

    def patch(self, old: str, new: str) -> bytes:
        base = release.Base(image=self.images[old], version=Version.parse(old))
        return apps.forced_patch(
            base, self.images[new], target=self.board.name, keys=self.keys, version=Version.parse(new)
        )

    def cells(self, version: str) -> bytes:
        header = release.header_for(self.image(version))
        return header.ljust(self.board.vector_size, b"\xff") + self.images[version]

    def put(self, name: str, data: bytes) -> None:
        (self.folder / name).write_bytes(data)

    def disk(self, path: Path) -> Path:
        disks.run(*STICK.make, disks.sparse(path, STICK.mebibytes * disks.MIB))
        disks.run("mcopy", "-Q", "-i", path, *sorted(self.folder.iterdir()), "::")
        return path


@pytest.fixture
def shelf(board: Board, keys: Keys, tmp_path: Path) -> Shelf:
    return Shelf(board, keys, tmp_path / "stick")


def test_a_chain_is_installed(shelf: Shelf, host: Host, tmp_path: Path) -> None:
    """K3.  A patch to 1.1.0 and one from there, by the real engine; the host says so before."""
    shelf.put("a.sfbp", shelf.patch("1.0.0", "1.1.0"))
    shelf.put("b.sfbp", shelf.patch("1.1.0", "1.2.0"))
    shelf.put("c.sfb", shelf.image("1.1.0"))
    said = host.run("update", shelf.disk(tmp_path / "disk"), shelf.cells("1.0.0"), personal_area(shelf.keys))
    base = release.Base(image=shelf.images["1.0.0"], version=Version(1, 0, 0))
    looks = stick.chain(shelf.folder, shelf.board, shelf.keys, Installed(version=base.version, hash=base.hash))
    assert [look.taken.path.name for look in looks if look.taken] == ["a.sfbp", "b.sfbp"]
    expected = lines(looks)
    for version, look in zip(("1.1.0", "1.2.0"), looks, strict=False):
        assert look.taken is not None
        taking = f"USB stick: taking {look.taken.path.name}, version {version}, {look.taken.size} bytes"
        expected.insert(expected.index(taking) + 1, f"= runs {version}")
    assert said == expected


def test_k1_a_damaged_file_gives_way_to_the_next_best_once(shelf: Shelf, host: Host, tmp_path: Path) -> None:
    """One with a bit wrong in its last chunk, and one that another key signed; the third is not tried."""
    best = bytearray(shelf.image("1.2.0"))
    best[-1] ^= 1
    stranger = Keys.new(tmp_path / "other", "lamp", development=True)
    foreign = Shelf(shelf.board, stranger, tmp_path / "foreign").image("1.2.0")
    shelf.put("damaged.sfb", bytes(best))
    shelf.put("foreign.sfb", foreign)
    shelf.put("good.sfb", shelf.image("1.1.0"))
    said = host.run("update", shelf.disk(tmp_path / "disk"), shelf.cells("1.0.0"), personal_area(shelf.keys))
    looks = stick.chain(shelf.folder, shelf.board, shelf.keys, Installed(version=Version(1, 0, 0)))
    failures = [line.partition(": ")[2] for line in said if line.startswith("= ")]
    assert failures == [look.failure for look in looks]
    assert sorted(failures) == ["damaged on its way: send it again", "wrong signature: damaged, or another key"]
    assert [line for line in said if not line.startswith("= ")] == lines(looks)

    (shelf.folder / "foreign.sfb").unlink()
    said = host.run("update", shelf.disk(tmp_path / "disk2"), shelf.cells("1.0.0"), personal_area(shelf.keys))
    looks = stick.chain(shelf.folder, shelf.board, shelf.keys, Installed(version=Version(1, 0, 0)))
    assert "= runs 1.1.0" in said
    assert [look.taken.path.name if look.taken else "" for look in looks[:2]] == ["damaged.sfb", "good.sfb"]
    assert f"  damaged.sfb: 1.2.0: {stick.TRIED}" in said


def test_a_broken_image_is_repaired_by_its_own_version(shelf: Shelf, host: Host, tmp_path: Path) -> None:
    """Its header is vouched for, so nothing older comes, and no patch."""
    shelf.put("older.sfb", shelf.image("1.0.0"))
    shelf.put("patch.sfbp", shelf.patch("1.1.0", "1.2.0"))
    shelf.put("same.sfb", shelf.image("1.1.0"))
    broken = bytearray(shelf.cells("1.1.0"))
    broken[-1] ^= 1
    said = host.run("update", shelf.disk(tmp_path / "disk"), bytes(broken), personal_area(shelf.keys), active=False)
    looks = stick.chain(shelf.folder, shelf.board, shelf.keys, Installed(version=Version(1, 1, 0), whole=False))
    assert [look.taken.path.name for look in looks if look.taken] == ["same.sfb", "patch.sfbp"]
    assert [line for line in said if not line.startswith("= ")] == lines(looks)
    assert [line for line in said if line.startswith("= ")] == ["= runs 1.1.0", "= runs 1.2.0"]


def test_k4_nothing_for_this_device(shelf: Shelf, host: Host, tmp_path: Path) -> None:
    """One line, and no flash operation: the program ends with an error when one was wrong."""
    shelf.put("old.sfb", shelf.image("1.0.0"))
    said = host.run("update", shelf.disk(tmp_path / "disk"), shelf.cells("1.1.0"), personal_area(shelf.keys))
    assert said == [
        "  old.sfb: 1.0.0: older than installed: give it a higher version", "USB stick: no update for this device"
    ]  # fmt: skip


def test_a_stick_that_is_pulled_while_it_is_read(shelf: Shelf, host: Host, tmp_path: Path) -> None:
    """Before each of its sectors: what was installed stays, whatever is said."""
    shelf.put("a.sfb", shelf.image("1.1.0"))
    disk, personal = shelf.disk(tmp_path / "disk"), personal_area(shelf.keys)
    whole = host.run("update", disk, shelf.cells("1.0.0"), personal)
    assert "= runs 1.1.0" in whole
    reads, trouble = 1, "cannot be read: plug it in again"
    while "= runs 1.1.0" not in (said := host.run("update", disk, shelf.cells("1.0.0"), personal, reads=reads)):
        assert f"= ended: {trouble}" in said or f"USB stick: {trouble}" in said
        reads += 1
    assert reads > 15


def test_a_file_that_ends_before_its_size_is_said_to(shelf: Shelf, host: Host, tmp_path: Path) -> None:
    """K3.  The FAT ends it early; and one that goes round in a circle, whose bytes the engine refuses."""
    shelf.put("a.sfb", shelf.image("1.1.0"))
    assert (shelf.folder / "a.sfb").stat().st_size > 4 * disks.SECTOR
    for following, said_then in ((0xFFF, "the file system is damaged: copy the files anew"), (2, "damaged on its way")):
        disk = shelf.disk(tmp_path / f"disk-{following}")
        first = int(re.findall(r"<(\d+)", disks.run("mshowfat", "-i", disk, "::a.sfb"))[0])
        data = bytearray(disk.read_bytes())
        fat = int.from_bytes(data[14:16], "little") * disks.SECTOR
        put_fat12(data, fat, first + 1, following)
        disk.write_bytes(data)
        said = host.run("update", disk, shelf.cells("1.0.0"), personal_area(shelf.keys))
        assert any(said_then in line for line in said if line.startswith("= "))
        assert not any("runs" in line for line in said)


def put_fat12(data: bytearray, fat: int, cluster: int, value: int) -> None:
    at = fat + cluster * 3 // 2
    pair = int.from_bytes(data[at : at + 2], "little")
    pair = pair & 0x000F | value << 4 if cluster % 2 else pair & 0xF000 | value
    data[at : at + 2] = pair.to_bytes(2, "little")


def test_a_file_says_what_it_is() -> None:
    file = File(path=Path("x.sfbp"), size=1, verdict=FITS, version=Version(1, 1, 0), base=Version(1, 0, 0))
    assert str(file) == "x.sfbp: 1.1.0 for 1.0.0: fits"
