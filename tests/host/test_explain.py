"""`spboot explain`: what is said, written and refused, without a compiler or an emulator."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import spboot
from spboot import boards, cli, delta, release
from spboot.boards import Board
from spboot.delta import meter
from spboot.device.forecast import changed_pages, forecast
from spboot.errors import AuthenticationError, BoardError, KeyFolderError, SpbootError
from spboot.explanation import explain, explain_delta, hints, order, relink, texts
from spboot.explanation.account import Row, account
from spboot.explanation.difference import Difference
from spboot.explanation.pair import Pair
from spboot.explanation.places import FUNCTION, LITERAL, TABLE, Place, Places
from spboot.explanation.relink import Piece
from spboot.explanation.words import whole
from spboot.keys import Keys

from .conftest import BOARD, NEW_APP, OLD_APP, TARGET, made

OLD, NEW = made(OLD_APP, "1.2.2"), made(NEW_APP, "1.2.3")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patch_file: bytes) -> Path:
    """old.bin, new.bin, x.sfbp and p.spbd, here."""
    monkeypatch.chdir(tmp_path)
    contents = {"old.bin": OLD_APP, "new.bin": NEW_APP, "x.sfbp": patch_file}
    contents["p.spbd"] = delta.encode_file(OLD_APP, NEW_APP, base=BOARD.image_address)
    for name, data in contents.items():
        Path(name).write_bytes(data)
    return tmp_path


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """What `spboot ARGUMENTS` says."""
    monkeypatch.setattr(sys, "argv", ["spboot", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    out = capsys.readouterr()
    assert not stop.value.code, out.err
    return out.out


PAIR = ("--from", "old.bin", "--to", "new.bin")


# Bytes


def test_a_patch_and_what_it_would_be(secrets: Keys, patch_file: bytes) -> None:
    """The patch that is there, and the one that is made for it, have the same rows; all bytes are in them."""
    given, would = explain(OLD, NEW, patch=patch_file, keys=secrets), spboot.explain(OLD, NEW)
    assert given.rows == would.rows
    assert (given.made, would.made) == (False, True)
    assert sum(row.bytes for row in given.rows) == len(patch_file) == given.file_size
    assert sum(given.groups.values()) == len(patch_file)
    assert {row.name: row.bytes for row in given.rows if row.kind == "header"} == {"manifest": 76, "signature": 64}
    hashes = next(row.bytes for row in given.rows if row.name == "hashes of chunks")
    assert hashes == (given.stream_size - 1) // 512 * 16
    assert all(row.bytes * 256 == int(row.bytes * 256) for row in given.rows)


def test_a_delta_file(patch_file: bytes) -> None:
    packed = delta.encode_file(OLD_APP, NEW_APP, base=BOARD.image_address)
    found = explain_delta(OLD_APP, NEW_APP, packed)
    assert sum(row.bytes for row in found.rows) == len(packed)
    assert (found.board, found.forecast, found.groups["header"]) == (None, None, 12)
    addresses = [row.address for row in found.rows if row.kind == LITERAL]
    assert min(filter(None, addresses)) == BOARD.image_address, "which the stream tells"


def test_new_bytes_are_where_they_are() -> None:
    """900 bytes that nothing predicts: their place has nearly all of the cost."""
    stream = delta.encode(OLD_APP, NEW_APP, base=BOARD.image_address)
    places = Places(
        [
            Place(start=0, end=700, name="before", kind=FUNCTION),
            Place(start=700, end=1600, name="inserted", kind=TABLE),
            Place(start=1600, end=len(NEW_APP), name="behind", kind=FUNCTION),
        ]
    )
    old = Places([Place(start=0, end=len(OLD_APP), name="before", kind=FUNCTION)])
    steps = meter.trace(OLD_APP, stream, len(NEW_APP))
    rows = account(steps, stream_size=len(stream), old=old, new=places, manifest=0)
    first = rows[0]
    assert (first.name, first.change) == ("inserted", "new")
    assert first.of("new") > 0.9 * first.bytes > 0.8 * len(stream)
    assert next(row.change for row in rows if row.name == "before") == f"{len(OLD_APP):,} -> 700 bytes"


@pytest.mark.parametrize("sizes", [[0.5, 0.5], [1.2, 2.3, 3.5], [10.25], [0.0, 4.0], [0.4, 0.3, 0.3, 7.0]])
def test_whole_bytes_have_the_same_sum(sizes: list[float]) -> None:
    found = whole(sizes)
    assert sum(found) == round(sum(sizes))
    assert all(abs(a - b) < 1 for a, b in zip(found, sizes, strict=True))


# What does not fit


def test_what_is_refused(secrets: Keys, patch_file: bytes, tmp_path: Path) -> None:
    other = made(OLD_APP[:-4] + b"else", "1.2.2")
    with pytest.raises(AuthenticationError, match=r"starts from another image: found hash \w+, expected \w+ \(version"):
        explain(other, NEW, patch=patch_file, keys=secrets)
    with pytest.raises(AuthenticationError, match="makes another image than the one named as new"):
        explain(OLD, other, patch=patch_file, keys=secrets)
    with pytest.raises(KeyFolderError, match="encrypted, and only its keys open it: give --keys DIR"):
        explain(OLD, NEW, patch=patch_file)
    with pytest.raises(AuthenticationError, match="signature is wrong"):
        explain(OLD, NEW, patch=patch_file, keys=Keys.new(tmp_path / "other", "demo"))
    with pytest.raises(BoardError, match="single slot, which takes no patches"):
        explain(
            made(OLD_APP, "1.0.0", Board.load("NUCLEO-L412KB")), made(NEW_APP, "1.1.0", Board.load("NUCLEO-L412KB"))
        )


def test_what_no_patch_is_made_of_is_not_explained(secrets: Keys, patch_file: bytes) -> None:
    """In the words of `patch`: two boards, with a patch as without; versions that do not rise; one image twice."""
    elsewhere = made(NEW_APP, "1.2.3", Board.load("NUCLEO-L452RE"))
    pairs = (OLD, elsewhere), (NEW, OLD), (OLD, made(OLD_APP, "1.2.3"))
    for old, new in pairs:
        with pytest.raises(SpbootError) as words:
            release.patch(old, new, keys=secrets)
        with pytest.raises(type(words.value), match=re.escape(str(words.value))):
            explain(old, new)
    with pytest.raises(BoardError, match="expected one board"):
        explain(OLD, elsewhere, patch=patch_file, keys=secrets)


# Pages


@pytest.mark.parametrize("name", [name for name in boards.names() if Board.load(name).slot1])
def test_pages_that_change(name: str) -> None:
    """Page 0 always, as the header does; a page with a changed byte; not one behind."""
    board = Board.load(name)
    old = bytes(range(256)) * (3 * board.page_size // 256)
    assert changed_pages(board, old, old) == (0,)
    at = 2 * board.page_size - board.vector_size
    new = old[:at] + b"\xa5" + old[at + 1 :]
    assert changed_pages(board, old, new) == (0, 2)
    assert changed_pages(board, old, new[: at - 1]) == (0,), "a shorter image leaves what is behind it"
    longer = changed_pages(board, old, old + bytes([1]))
    assert longer == (0, (board.vector_size + len(old)) // board.page_size)
    found = forecast(board, old, new)
    units = board.page_size // board.chip.memory_at(board.slot0.address).erase_unit
    assert board.journal is not None
    journal = board.journal.size // board.chip.memory_at(board.journal.address).erase_unit
    assert found.erases == 4 * units + journal


# Hints


def pair(old: bytes, new: bytes) -> Pair:
    return Pair(old=old, new=new, address=0)


BODY = OLD_APP[:1200]
TEXTS = {
    "time of the build": (b"built Nov 28 2026 at 11:09:59\0", b"built Nov 29 2026 at 12:30:00\0"),
    "paths of the build": (b"/home/ann/lamp/main.c\0", b"/home/bob/lamp/main.c\0"),
    "version more than once": (b"lamp 1.0.0\0boot 1.0.0\0", b"lamp 1.1.0\0boot 1.1.0\0"),
    "build id": (
        b"\4\0\0\0\x14\0\0\0\3\0\0\0GNU\0" + b"0123456789abcdefghij",
        b"\4\0\0\0\x14\0\0\0\3\0\0\0GNU\0" + b"jihgfedcba9876543210",
    ),
    "fill": (bytes(40), b"\xff" * 40),
}


@pytest.mark.parametrize("title", TEXTS)
def test_a_text_of_the_build_is_found_and_undone(title: str) -> None:
    """Nothing else is changed by it; where nothing differs nothing is said."""
    old, new = TEXTS[title]
    found = list(texts.differences(pair(BODY + old + BODY, BODY + new + BODY)))
    assert [each.title for each in found] == [title]
    undone = found[0].undone
    assert undone is not None
    if title == "version more than once":
        assert undone == BODY + b"lamp 1.1.0\0boot 1.0.0\0" + BODY, "once it has to be there"
    else:
        assert undone == BODY + old + BODY
    assert not list(texts.differences(pair(BODY + new + BODY, BODY + new + BODY)))


def test_a_hint_says_what_it_saves_in_bytes_and_pages(secrets: Keys) -> None:
    """The time in a page of its own: the patch without it is that much smaller, and that page stays."""
    chance = random.Random(5)
    middle = chance.randbytes(3 * BOARD.page_size)
    old, new = TEXTS["time of the build"]
    before, after, better = (made(OLD_APP + middle + text + BODY, "1.0.0") for text in (old, new, old))
    changed = made(after.data[:100] + b"?" + after.data[101:], "1.1.0")
    better = made(better.data[:100] + b"?" + better.data[101:], "1.1.0")
    hints = explain(before, changed).hints
    assert hints is not None and explain(before, changed, with_hints=False).hints is None
    assert [(hint.title, hint.measured, hint.exact, hint.pages) for hint in hints] == [
        ("time of the build", True, True, 1)
    ]
    made_without = len(release.patch(before, better, keys=secrets))
    assert hints[0].saves == len(release.patch(before, changed, keys=secrets)) - made_without > 5


def test_progress_ends_at_its_total() -> None:
    """It counts the patches that are made: none for a difference that cannot be undone."""
    old, new = (BODY + text + BODY for text in TEXTS["time of the build"])
    found = [Difference(title="inlining", found="", advice="", at_most=9.0), *texts.differences(pair(old, new))]
    told: list[tuple[int, int]] = []
    hints.measure(
        found,
        pair(old, new),
        file_size=0,
        size_of=lambda size: size,
        changed=None,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(1, 1)]


def test_functions_in_another_order() -> None:
    """What is to be moved, counted by the longest run in order."""

    def side(names: str) -> Places:
        kinds = ((4 * at, name) for at, name in enumerate(names))
        return Places([Place(start=at, end=at + 4, name=name, kind=FUNCTION, section=".text") for at, name in kinds])

    for old, new, moved in (
        ("abcdef", "abcdef", 0),
        ("abcdef", "fabcde", 1),
        ("abcdef", "abxcdef", 0),
        ("abcd", "dcba", 3),
    ):
        both = pair(b"", bytes(4 * len(new)))
        both.__dict__.update(old_places=side(old), new_places=side(new))
        assert order.out_of_order(both) == moved


def test_other_inlining_is_told_as_a_bound() -> None:
    """Clones of the compiler come; nothing can be undone, so what they cost is the most that it can save."""

    def side(names: list[str]) -> Places:
        return Places([Place(start=4 * at, end=4 * at + 4, name=name, kind=FUNCTION) for at, name in enumerate(names)])

    kept = [f"kept_{number}" for number in range(10)]
    clones = [f"part_{number}.constprop.0" for number in range(6)]
    rows = [Row(name=name, kind=FUNCTION, change="new", parts={"new": 512}) for name in clones]
    rows += [Row(name=name, kind=FUNCTION, change="in place", parts={"new": 512}) for name in kept]
    for new, at_most in (([*kept, *clones], [12.0]), ([*kept, *clones[:2]], []), (kept, [])):
        both = pair(b"", bytes(4 * len(new)))
        both.__dict__.update(old_places=side(kept), new_places=side(new))
        found = list(order.differences(both, rows))
        assert [each.at_most for each in found] == at_most
        assert all(each.title == "inlining" and each.undone is None for each in found)


def test_functions_of_one_name_cost_each() -> None:
    """Two static functions of one name, in two files, are two rows: of what the clones cost none is lost."""
    names = ["main", "init.constprop.0", "init.constprop.0", *(f"part_{number}.isra.0" for number in range(5))]
    places = [Place(start=4 * at, end=4 * at + 4, name=name, kind=FUNCTION) for at, name in enumerate(names)]
    both = pair(b"", bytes(4 * len(names)))
    both.__dict__.update(old_places=Places(places[:1]), new_places=Places(places))
    sizes = (64, 1, 2, 4, 8, 16, 32, 64)
    rows = [Row(name=name, kind=FUNCTION, parts={"new": 256 * n}) for name, n in zip(names, sizes, strict=True)]
    for row in rows:
        row.change = "in place" if row.name == "main" else "new"
    assert [each.at_most for each in order.differences(both, rows)] == [127]


def test_an_image_put_together_anew() -> None:
    """Two functions change places: calls and pointers follow; in their old places the image is what it was."""
    to_other, to_first = bytes.fromhex("00f008f8"), bytes.fromhex("fff7fcff")  # BL: 0x0 -> 0x14, 0x14 -> 0x10
    back, pointer = bytes.fromhex("7047 00bf"), (0x08000015).to_bytes(4, "little")
    image = to_other + back + bytes(4) + pointer + back + to_first
    pieces = [Piece(0, 16, image[:16]), Piece(16, 20, image[16:20]), Piece(20, 24, image[20:])]
    assert relink.relink(image, 0x08000000, pieces) == image
    swapped = relink.relink(image, 0x08000000, [pieces[0], pieces[2], pieces[1]])
    assert swapped[:4] == bytes.fromhex("00f006f8"), "BL: 0x0 -> 0x10"
    assert swapped[12:16] == (0x08000011).to_bytes(4, "little")
    assert swapped[16:] == bytes.fromhex("00f000f8") + back, "BL: 0x10 -> 0x14"


# What is shown


def test_the_table(
    folder: Path, key_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = said(monkeypatch, capsys, "explain", "x.sfbp", *PAIR, "--keys", key_folder, "-n", "2")
    size = Path("x.sfbp").stat().st_size
    assert out.startswith(f"x.sfbp from old.bin to new.bin: it has {size:,} bytes")
    parts = out.split("dearest places")
    for part in parts:  # both tables have all bytes
        numbers = re.findall(r" ([\d,]+) +\d+\.\d\b", part)
        assert sum(int(each.replace(",", "")) for each in numbers) == size
    assert re.search(r"\d+ more ", parts[1])
    assert "On NUCLEO-L476RG: " in out and "flash is busy for" in out
    assert "\x1b" not in out


def test_json(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("explain", *PAIR, "--board", TARGET, "--json")
    facts = json.loads(said(monkeypatch, capsys, *command))
    assert facts["made"] and facts["file_size"] == Path("x.sfbp").stat().st_size
    assert sum(row["bytes"] for row in facts["rows"]) == facts["file_size"]
    assert (facts["rest"], facts["board"]) == ({"rows": 0, "bytes": 0}, TARGET)
    assert facts["flash"]["changed"][0] == 0
    few = json.loads(said(monkeypatch, capsys, *command, "-n", "3", "--no-hints"))
    assert (facts["hints"], few["hints"]) == ([], None)
    assert len(few["rows"]) == 3 and few["rows"] == facts["rows"][:3]
    assert sum(row["bytes"] for row in few["rows"]) + few["rest"]["bytes"] == few["file_size"]


def test_pictures(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Well-formed, with every row's name, and nothing in them comes from elsewhere."""
    Path("a<b.bin").write_bytes(OLD_APP)
    command = ("explain", "p.spbd", "--from", "a<b.bin", "--to", "new.bin", "--svg", "x.svg", "--html", "x.html")
    out = said(monkeypatch, capsys, *command)
    assert "x.svg: written" in out and "x.html: written" in out
    svg, html = (Path(name).read_text(encoding="utf-8") for name in ("x.svg", "x.html"))
    words = "".join(ET.fromstring(svg).itertext())
    assert "a<b.bin" in words and "head of the delta file" in words
    assert svg.replace("<?xml", "") and svg in html
    for page in (svg, html):
        assert not re.search(r"<script|<link|<img|src=|href=|@import|url\(", page)
        assert not [each for each in re.findall(r"https?://[^\"' ]+", page) if each != "http://www.w3.org/2000/svg"]
    ET.fromstring(html.replace("<!DOCTYPE html>", "").replace('<meta charset="utf-8">', ""))


@pytest.mark.skipif(os.name != "posix", reason="a pseudo-terminal")
def test_one_bar_at_a_terminal(folder: Path, key_folder: Path) -> None:
    """Each bar hides the cursor once."""
    import pty

    near, far = pty.openpty()
    program = "from spboot.cli import main; main()"
    command = [sys.executable, "-c", program, "explain", "x.sfbp", *PAIR, "--keys", str(key_folder)]
    environment = {**os.environ, "TERM": "xterm-256color"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=far, env=environment) as work:
        os.close(far)
        shown = b""
        with contextlib.suppress(OSError):  # at its end; it is read all the time, as a terminal does: it holds 4 KB
            while part := os.read(near, 4000):
                shown += part
        said = work.stdout.read() if work.stdout else b""
    os.close(near)
    assert work.returncode == 0 and b"x.sfbp from old.bin to new.bin" in said
    assert shown.count(b"\x1b[?25l") == 1


def test_without_the_emulator(folder: Path) -> None:
    """Bytes, pages and erases; the seconds say what to install."""
    program = "import sys; sys.modules.update(unicorn=None, capstone=None)\nfrom spboot import cli\ncli.main()"
    command = [sys.executable, "-c", program, "explain", *PAIR, "--board", TARGET]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "erases" in done.stdout and 'seconds: `pip install "spboot[twin]"`' in done.stdout
