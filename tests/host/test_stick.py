"""`spboot stick`: what a device would take from a folder; tests/usb compares the rules with the firmware's."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from spboot import cli, release, stick
from spboot.boards import Board
from spboot.choice import Installed
from spboot.disk import DiskError
from spboot.errors import FormatError
from spboot.image import Image
from spboot.keys import Keys
from spboot.version import Version

from .conftest import NEW_APP, OLD_APP, TARGET

V1, V2 = Version(1, 0, 0), Version(1, 1, 0)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def board() -> Board:
    return Board.load(TARGET)


@pytest.fixture
def images(board: Board) -> tuple[Image, Image]:
    old, new = ((OLD_APP, V1), (NEW_APP, V2))
    return Image(data=old[0], board=board, version=old[1]), Image(data=new[0], board=board, version=new[1])


@pytest.fixture
def folder(images: tuple[Image, Image], key_folder: Path, tmp_path: Path) -> Path:
    """A stick with a patch to 1.1.0 and two full images of it, one damaged; and what is no update."""
    keys, found = Keys.load(key_folder), tmp_path / "stick"
    found.mkdir()
    full = release.full_image(images[1], keys=keys)
    (found / "a.sfbp").write_bytes(release.patch(*images, keys=keys))
    (found / "B.SFB").write_bytes(full)
    (found / "._a.sfbp").write_bytes(b"of macOS")
    (found / "notes.txt").write_bytes(b"x")
    (found / "inside").mkdir()
    (found / "inside" / "c.sfb").write_bytes(full)
    (found / "d.sfb").mkdir()
    return found


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)

    def call(*args: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["spboot", "stick", *map(str, args)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out = capsys.readouterr()
        return int(stop.value.code or 0), out.out, out.err

    return call


def test_it_says_each_look(run: Run, folder: Path, key_folder: Path) -> None:
    code, out, err = run(folder, "--version", "1.0.0", "--keys", key_folder, "--board", TARGET)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "1.0.0:",
        "  B.SFB: 1.1.0: fits",
        "  a.sfbp: 1.1.0 for 1.0.0: fits",
        "  takes a.sfbp, version 1.1.0",
        "1.1.0:",
        "  B.SFB: 1.1.0: already installed: give it a higher version",
        "  a.sfbp: 1.1.0 for 1.0.0: already installed: give it a higher version",
        "  takes nothing",
    ]


def test_json(run: Run, folder: Path, key_folder: Path) -> None:
    code, out, _ = run(folder, "--version", "1.0.0", "--keys", key_folder, "--board", TARGET, "--json")
    looks = json.loads(out)["looks"]
    assert code == 0
    assert [(look["installed"], look["taken"]) for look in looks] == [
        ("1.0.0", str(folder / "a.sfbp")),
        ("1.1.0", None),
    ]
    assert looks[0]["files"][1] == {
        "file": str(folder / "a.sfbp"), "version": "1.1.0", "from": "1.0.0",
        "bytes": (folder / "a.sfbp").stat().st_size, "verdict": "fits",
    }  # fmt: skip


def test_another_image_of_the_same_version(run: Run, folder: Path, key_folder: Path) -> None:
    """--from tells them apart; a device whose image is broken takes the full image."""
    Path("other.bin").write_bytes(NEW_APP)
    Path("old.bin").write_bytes(OLD_APP)
    options = ("--version", "1.0.0", "--keys", key_folder, "--board", TARGET)
    assert "takes a.sfbp" in run(folder, *options, "--from", "old.bin")[1]
    out = run(folder, *options, "--from", "other.bin")[1]
    assert "  a.sfbp: 1.1.0 for 1.0.0: patch for another firmware: send the full image\n  takes B.SFB" in out
    out = run(folder, *options, "--broken")[1]
    assert "1.0.0, not whole:" in out and "no firmware to patch: send the full image\n  takes B.SFB" in out


def test_a_file_that_fails(
    run: Run, folder: Path, key_folder: Path, tmp_path: Path, images: tuple[Image, Image]
) -> None:
    """It is said why, and the next best is taken; of other keys none is good."""
    data = bytearray((folder / "a.sfbp").read_bytes())
    data[-1] ^= 1
    (folder / "a.sfbp").write_bytes(data)
    options = ("--version", "1.0.0", "--keys", key_folder, "--board", TARGET)
    out = run(folder, *options)[1]
    assert "takes a.sfbp, which fails: wrong signature" in out or "takes a.sfbp, which fails: damaged" in out
    assert "  a.sfbp: 1.1.0 for 1.0.0: failed before, passed over\n  takes B.SFB, version 1.1.0" in out
    other = Keys.new(tmp_path / "other", Keys.load(key_folder).product, development=True)
    (folder / "B.SFB").write_bytes(release.full_image(images[1], keys=other))
    assert "takes B.SFB, which fails: wrong signature: damaged, or another key" in run(folder, *options)[1]


def test_an_empty_stick_and_one_that_is_none(run: Run, key_folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    options = ("--version", "1.0.0", "--keys", key_folder, "--board", TARGET)
    assert run(empty, *options) == (0, "1.0.0:\n  takes nothing\n", "")
    code, _, err = run(tmp_path / "nowhere", *options)
    assert code == 1 and "nowhere: cannot be read: No such file" in err


def test_more_files_than_a_device_looks_at(board: Board, folder: Path) -> None:
    for number in range(stick.MOST):
        shutil.copy(folder / "B.SFB", folder / f"{number}.sfb")
    with pytest.raises(FormatError, match="258 update files, a device looks at 256: remove old ones"):
        stick.look(folder, board, "lamp", Installed(version=V1))
    with pytest.raises(DiskError):
        stick.look(folder / "notes.txt", board, "lamp", Installed(version=V1))
