"""The readers against images of real tools: every format in every style of partitions."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.usb import disks
from tests.usb.disks import FORMATS, STYLES, Format
from tests.usb.exfat import FOLDER, HIDDEN, SYSTEM, Exfat, entry_set
from tests.usb.host import FOREVER, Found, Host

RANDOM = random.Random(1)
LONG = "a-name-of-65-characters-" + "x" * 36 + ".sfbp"
FILES = {
    "app-1.0.0.sfb": RANDOM.randbytes(70_001),
    "PATCH.SFB": RANDOM.randbytes(512),
    "lower.sfb": b"",
    "a name with spaces.SfBp": RANDOM.randbytes(5),
    LONG: RANDOM.randbytes(33_000),
}
OTHERS = {"read me.txt": b"text", "app.sfb.bak": b"x", "sfb": b"x", "key-1.sfbk": b"x", "x.sfbq": b"x", "y.sfbpp": b"x"}
assert len(LONG) == 65

formats = pytest.mark.parametrize("of", FORMATS, ids=lambda of: of.name)


def listed(found: dict[str, bytes]) -> set[Found]:
    return {Found.of(name, data) for name, data in found.items()}


def forget_where_to_go_on(volume: Path) -> None:
    """FAT32 has a hint for the next free cluster, in sector 1: without it the first hole is taken."""
    with volume.open("r+b") as file:
        assert file.read(2 * disks.SECTOR)[disks.SECTOR :].startswith(b"RRaA")
        file.seek(disks.SECTOR + 492)
        file.write(b"\xff" * 4)


@pytest.mark.parametrize("style", STYLES)
@formats
def test_every_format_in_every_style(of: Format, style: str, host: Host, tmp_path: Path) -> None:
    """V1: no sector is read outside of the disk, which would end the program."""
    volume = disks.make_volume(tmp_path / "volume", of)
    disks.fill(volume, of, OTHERS | FILES)
    disks.check(volume, of)
    found = host.list(disks.partitioned(tmp_path / "disk", volume, style, of))
    assert found.trouble == ""
    assert set(found.files) == listed(FILES)
    assert len(found.files) == len(FILES)
    kind = "exFAT" if of.exfat else "FAT"
    assert found.kind == f"{kind}, {of.bits} bits, {of.sectors} sectors in a cluster"


@formats
def test_a_file_in_pieces(of: Format, host: Host, tmp_path: Path) -> None:
    """Its clusters are apart: the chain in the FAT has them, which for exFAT is the unusual kind."""
    volume = disks.make_volume(tmp_path / "volume", of)
    size = of.sectors * disks.SECTOR
    data = RANDOM.randbytes(9 * size + 7)
    if of.exfat:
        exfat = Exfat(path=volume)
        exfat.add("pieces.sfb", data, fragmented=True)
        exfat.save()
    else:
        disks.fill(volume, of, {f"{number:02}.txt": b"x" for number in range(20)})
        disks.run("mdel", "-i", volume, *(f"::{number:02}.txt" for number in range(0, 20, 2)))
        if of.bits == 32:
            forget_where_to_go_on(volume)
        disks.fill(volume, of, {"pieces.sfb": data})
        assert disks.run("mshowfat", "-i", volume, "::pieces.sfb").count("<") > 5
    disks.check(volume, of)
    assert set(host.list(volume).files) == listed({"pieces.sfb": data})


@formats
def test_a_directory_of_many_clusters(of: Format, host: Host, tmp_path: Path) -> None:
    """The last file is behind hundreds of others; the root of FAT12 and FAT16 has a fixed size."""
    volume = disks.make_volume(tmp_path / "volume", of)
    many = {f"a long name of a file, number {number}.txt": b"" for number in range(120)}
    disks.fill(volume, of, many | {"behind them all.sfb": b"found"})
    disks.check(volume, of)
    assert set(host.list(volume).files) == listed({"behind them all.sfb": b"found"})


def test_names_of_fat(host: Host, tmp_path: Path) -> None:
    """I1.  A name that is longer than 65 characters is the short one; letters beyond ASCII are question marks."""
    of = FORMATS[2]
    volume = disks.make_volume(tmp_path / "volume", of)
    disks.fill(volume, of, {"x" * 62 + ".sfb": b"1", "lämpchen.sfb": b"2", "y" * 40 + ".sfbp": b"3"})
    names = [found.name for found in host.list(volume).files]
    assert names == ["XXXXXX~1.SFB", "l?mpchen.sfb", "y" * 40 + ".sfbp"]


def test_names_of_exfat(host: Host, tmp_path: Path) -> None:
    """I1.  There is no short name to fall back to."""
    volume = disks.make_volume(tmp_path / "volume", FORMATS[-2])
    exfat = Exfat(path=volume)
    for name in ("x" * 62 + ".sfb", "lämpchen\x1b[2J.sfb", LONG):
        exfat.add(name, b"1")
    exfat.save()
    assert [found.name for found in host.list(volume).files] == ["l?mpchen?[2J.sfb", LONG]


def test_what_is_hidden_deleted_or_no_file_is_not_there(host: Host, tmp_path: Path) -> None:
    """macOS leaves a "._name" beside each file, hidden on FAT and not always on exFAT."""
    of = FORMATS[4]
    volume = disks.make_volume(tmp_path / "volume", of)
    disks.fill(volume, of, {f"{name}.sfb": b"x" for name in ("hidden", "system", "deleted", "._app", "good")})
    disks.run("mattrib", "-i", volume, "+h", "::hidden.sfb")
    disks.run("mattrib", "-i", volume, "+s", "::system.sfb")
    disks.run("mmd", "-i", volume, "::folder.sfb")
    disks.run("mlabel", "-i", volume, "::label.sfb")
    disks.run("mdel", "-i", volume, "::deleted.sfb")  # last, or another one takes its place
    assert [found.name for found in host.list(volume).files] == ["good.sfb"]

    volume = disks.make_volume(tmp_path / "other", FORMATS[-1])
    exfat = Exfat(path=volume)
    for name, attributes in (("hidden", HIDDEN), ("system", SYSTEM), ("folder", FOLDER), ("._app", 0), ("good", 0)):
        exfat.add(f"{name}.sfb", b"x", attributes=attributes)
    exfat.add("deleted.sfb", b"x", deleted=True)
    exfat.save()
    assert [found.name for found in host.list(volume).files] == ["good.sfb"]


def test_a_set_of_entries_with_a_wrong_checksum_is_no_file(host: Host, tmp_path: Path) -> None:
    """I3, of exFAT: a byte of the name changed."""
    volume = disks.make_volume(tmp_path / "volume", FORMATS[-2])
    exfat = Exfat(path=volume)
    exfat.add("first.sfb", b"x")
    exfat.add("second.sfb", b"x")
    at = exfat.data.index("first".encode("utf-16-le"))
    exfat.data[at] = ord("F")
    exfat.save()
    assert [found.name for found in host.list(volume).files] == ["second.sfb"]


def test_a_long_name_of_another_file_is_not_believed(host: Host, tmp_path: Path) -> None:
    """I3, of FAT: a system that knows no long names renamed the file, and left the long one where it was."""
    of = FORMATS[2]
    volume = disks.make_volume(tmp_path / "volume", of)
    disks.fill(volume, of, {"the long name.sfb": b"x"})
    data = bytearray(volume.read_bytes())
    at = data.index(b"THELON~1SFB")
    data[at : at + 8] = b"RENAMED "
    volume.write_bytes(data)
    assert [found.name for found in host.list(volume).files] == ["RENAMED.SFB"]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("of", [of for of in FORMATS if of.sectors >= 8], ids=lambda of: of.name)
def test_a_stick_that_is_pulled_anywhere(of: Format, style: str, host: Host, tmp_path: Path) -> None:
    """V3.  At each of the first reads, and at some later ones: what was found before is right, and it is said."""
    volume = disks.make_volume(tmp_path / "volume", of)
    files = {name: FILES[name] for name in ("PATCH.SFB", "app-1.0.0.sfb")}
    disks.fill(volume, of, files)
    disk = disks.partitioned(tmp_path / "disk", volume, style, of)
    for reads in (*range(8), 20, 60):
        found = host.list(disk, reads)
        assert found.trouble == "cannot be read: plug it in again"
        assert {each for each in found.files if each.crc} <= listed(files)
    assert host.list(disk, FOREVER).trouble == ""


def test_a_cluster_behind_the_65535th(host: Host, tmp_path: Path) -> None:
    """Half of its number is elsewhere in the entry, on FAT32."""
    of = FORMATS[4]
    volume = disks.make_volume(tmp_path / "volume", of)
    with volume.open("r+b") as file:
        file.seek(disks.SECTOR + 492)  # the hint for the next free cluster
        file.write((70_000).to_bytes(4, "little"))
    disks.fill(volume, of, {"high.sfb": FILES[LONG]})
    assert "<700" in disks.run("mshowfat", "-i", volume, "::high.sfb")
    assert set(host.list(volume).files) == listed({"high.sfb": FILES[LONG]})


def test_a_file_above_4_gb_is_larger_than_it_can_be(host: Host, tmp_path: Path) -> None:
    volume = disks.make_volume(tmp_path / "volume", FORMATS[-1])
    exfat = Exfat(path=volume)
    exfat._enter(entry_set("large.sfb", (1 << 32) + 700, 5, 0, flat=True), deleted=False)
    exfat.save()
    assert [found.size for found in host.list(volume).files] == [0xFFFFFFFF]


NEITHER = "neither FAT32 nor exFAT: format it as one of them"
NO_FAT = {
    "no signature": (510, b"\0"), "sectors of 4,096 bytes": (11, b"\0\x10"), "no sectors in a cluster": (13, b"\0"),
    "three sectors in a cluster": (13, b"\3"), "nothing reserved": (14, b"\0\0"), "no FAT": (16, b"\0"),
    "three FATs": (16, b"\3"), "a FAT of no length": (22, b"\0\0"), "a FAT beyond the volume": (22, b"\xff\xff"),
    "a root beyond the volume": (17, b"\xff\xff"), "no sectors": (19, b"\0\0"),
}  # fmt: skip
NO_EXFAT = {
    "no signature": (510, b"\0"), "sectors of 4,096 bytes": (108, b"\x0c"), "clusters of 64 MB": (109, b"\x11"),
    "clusters behind the end": (92, b"\xff\xff\xff"), "clusters in front of the FAT": (88, b"\1\0\0\0"),
    "no clusters": (88, b"\xff\xff\xff\xff"), "NTFS": (3, b"NTFS    "), "nothing": (0, bytes(512)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("of", "at", "bytes_there"),
    [
        *(pytest.param(FORMATS[0], *change, id=f"FAT, {name}") for name, change in NO_FAT.items()),
        *(pytest.param(FORMATS[6], *change, id=f"exFAT, {name}") for name, change in NO_EXFAT.items()),
    ],
)
def test_what_is_no_file_system(of: Format, at: int, bytes_there: bytes, host: Host, tmp_path: Path) -> None:
    """With a sector in it that a formatter would not write: one sentence, whatever it is."""
    volume = disks.make_volume(tmp_path / "volume", of)
    assert host.list(volume).trouble == ""
    with volume.open("r+b") as file:
        file.seek(at)
        file.write(bytes_there)
    assert host.list(volume).trouble == NEITHER


def test_a_disk_without_sectors(host: Host, tmp_path: Path) -> None:
    assert host.list(disks.sparse(tmp_path / "disk", 0)).trouble == "cannot be read: plug it in again"
    assert host.list(disks.sparse(tmp_path / "disk", 512)).trouble == NEITHER


@pytest.mark.parametrize("of", [FORMATS[1], FORMATS[5], FORMATS[7]], ids=lambda of: of.name)
def test_i2_v2_a_directory_that_goes_round_ends(of: Format, host: Host, tmp_path: Path) -> None:
    """And so does one whose chain points nowhere: what was found before is there.  The root of FAT12 has no chain."""
    volume = disks.make_volume(tmp_path / "volume", of)
    many = {f"{number:03}.txt": b"" for number in range(200)}
    disks.fill(volume, of, {"first.sfb": b"x"} | many)
    data = bytearray(volume.read_bytes())
    root, fat_at = places(data, of)
    for following in (root, 0x0FFFFFF0, 1, 0):
        if root:
            data[fat_at + 4 * root : fat_at + 4 * root + 4] = following.to_bytes(4, "little")
        volume.write_bytes(data)
        found = host.list(volume)
        assert found.trouble == "" and set(found.files) == listed({"first.sfb": b"x"})
        assert len(found.files) == 1 or following == root


def places(data: bytearray, of: Format) -> tuple[int, int]:
    """Cluster of the root, 0 when it has none, and where the FAT begins."""
    if of.exfat:
        return int.from_bytes(data[96:100], "little"), int.from_bytes(data[80:84], "little") * disks.SECTOR
    root = int.from_bytes(data[44:48], "little") if of.bits == 32 else 0
    return root, int.from_bytes(data[14:16], "little") * disks.SECTOR
