"""`spboot explain` on real programs: bytes add up, pages and seconds are those of the twin, hints save what is said."""

from __future__ import annotations

import itertools
import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

import spboot
from bench.delta import corpus
from spboot import delta, release
from spboot.boards import Board
from spboot.builder import merge
from spboot.builder.demo import build_demo
from spboot.device import Device
from spboot.device.cost import Cost, measure
from spboot.device.forecast import forecast, line_seconds
from spboot.explanation import GROUPS, Explanation, explain, explain_delta
from spboot.explanation.hints import Hint
from spboot.image import Image
from spboot.keys import Keys
from spboot.version import Version
from tests.delta.code import noise
from tests.system import weighed
from tests.system.rig import RUNNING, Workshop, workshop
from tests.system.rtos.build import rtos_app

BOARD = Board.load("NUCLEO-L476RG")


def adds_up(found: Explanation, size: int) -> None:
    """Rows, groups and JSON have every byte of a file of *size* bytes, no more and no less."""
    assert found.file_size == size
    assert sum(row.bytes for row in found.rows) == size
    assert sum(found.groups.values()) == size
    for count in (None, 1, 7):
        facts = found.facts(count)
        told = sum(row["bytes"] for row in facts["rows"]) + facts["rest"]["bytes"]
        assert told == size == json.loads(json.dumps(facts))["file_size"]
        assert all(sum(row["costs"].values()) == row["bytes"] for row in facts["rows"])


# Real pairs


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that docs/patches.md speaks of, of a smaller demo."""
    folder = tmp_path_factory.mktemp("page")
    keys = Keys.new(folder / "keys", "demo", development=True)
    for version in ("1.1.0", "1.2.0"):
        build_demo(BOARD, Version.parse(version), folder, cargo_size=20_000)
    (folder / "demo-1.2.0.sfbp").write_bytes(spboot.patch(*demos(folder), keys=keys))
    return folder


def demos(folder: Path) -> list[Image]:
    return [Image.load(folder / f"demo-{version}.elf", BOARD, version) for version in ("1.1.0", "1.2.0")]


def test_the_demo(page: Path) -> None:
    """The function that is new and the one that has another line are the dearest; what moved costs little."""
    old, new = demos(page)
    update = (page / "demo-1.2.0.sfbp").read_bytes()
    found = spboot.explain(old, new, patch=update, keys=Keys.load(page / "keys"))
    adds_up(found, len(update))
    assert found.groups["header"] == 140
    functions = [row for row in found.rows if row.kind == "function"]
    first, second = sorted(functions[:2], key=lambda row: row.change != "new")
    assert first.change == "new" and first.name.endswith("_new_2")
    assert re.fullmatch(r"\d+ -> \d+ bytes", second.change)
    moved = [row for row in functions if row.change.startswith("moved by")]
    assert len(moved) > 5 and sum(row.bytes for row in moved) < 100
    assert {"function", "table", "literal"} <= {row.kind for row in found.rows}
    assert any(row.kind == "literal" and row.name == f'"{first.name}"' for row in found.rows)
    without = explain(old, new)
    assert (without.rows, without.made, found.made) == (found.rows, True, False)


TEXT = (Path(__file__).resolve().parents[2] / "docs" / "patches.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("line", re.findall(r"^    spboot (explain .+)$", TEXT, re.MULTILINE))
def test_the_page_can_be_followed(line: str, page: Path) -> None:
    """Each command says what the page shows, but for its numbers."""
    program = "from spboot.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program, *line.split()], cwd=page, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for words in (*GROUPS.values(), "where", "memory_adjust_new_2", "On NUCLEO-L476RG: ", "flash is busy for"):
        assert words in done.stdout and words in TEXT.replace("| literals |", GROUPS["literal"])
    for name in re.findall(r"--(?:svg|html) (\S+)", line):
        assert (page / name).stat().st_size > 1000


def test_the_rtos_application(shop: Workshop) -> None:
    """A pair of another program, by both compilers, without its symbols: pages."""
    if shop.board.name != BOARD.name:
        pytest.skip("the RTOS application is for other boards")
    old, new = (shop.made(rtos_app(shop, version), version) for version in ("1.0.0", "1.1.0"))
    update = release.patch(old, new, keys=shop.keys)
    found = explain(old, new, patch=update, keys=shop.keys)
    adds_up(found, len(update))
    assert {row.kind for row in found.rows} == {"literal", "header", "overhead"}
    assert all(" .. " in row.name for row in found.rows if row.kind == "literal")


REAL = ("movehub-7.27.0-7.28.0", "movehub-4.0.0-4.0.1", "technichub-7.27.0-7.28.0")


@pytest.mark.parametrize("name", REAL)
def test_real_firmware(name: str) -> None:
    pair = next(each for each in corpus.pairs() if each.name == name)
    files = [corpus.FOLDER / f"{pair.product}-{version}.bin" for version in (pair.old, pair.new)]
    if not all(file.exists() for file in files):
        pytest.skip(f"{corpus.FOLDER} has no {name}: `make bench` fetches it")
    old, new = (file.read_bytes() for file in files)
    packed = delta.encode_file(old, new, base=pair.base)
    found = explain_delta(old, new, packed, with_hints=False)
    adds_up(found, len(packed))
    print(f"{name}: {len(packed)} bytes, { ({key: round(size, 1) for key, size in found.groups.items() if size}) }")


# Pages and seconds


def counted(shop: Workshop, folder: Path, size: int) -> tuple[Device, Cost, bytes, bytes, int]:
    """An update really applied, of the demo with *size* bytes behind it: the device after it, its cost, OLD, NEW, and
    the size of the patch."""
    board, demo = shop.board, shop.demo("1.0.0")
    old = demo + noise(size, "tail")
    changed = bytearray(old)
    for at in (len(demo) + 100, len(demo) + 9000, len(old) - 5):
        changed[at] ^= 0x55
    new = bytes(changed) + noise(777, "more")
    update = folder / "update.sfbp"
    update.write_bytes(release.patch(shop.made(old, "1.0.0"), shop.made(new, "1.1.0"), keys=shop.keys))
    device = Device(board)
    device.program(merge.factory(shop.boot.bin.read_bytes(), shop.made(old, "1.0.0"), shop.keys))
    device.power_on()
    device.call("loader")
    cost = measure(device, update, name="update", image_size=len(new), ready=RUNNING, seconds=60)
    return device, cost, old, new, update.stat().st_size


def pages_and_seconds(shop: Workshop, folder: Path, size: int = 16_000) -> None:
    board = shop.board
    device, cost, old, new, file_size = counted(shop, folder, size)
    found = forecast(board, old, new)
    log = device.twin.log
    assert (found.pages, found.erases, found.programs) == (cost.pages, log.erases(), log.programs())
    assert found.flash_s == pytest.approx(cost.flash_s, rel=1e-12)
    assert line_seconds(board, file_size) == pytest.approx(cost.line_s, rel=1e-12)
    slot = board.slot0
    erased = log.by_page("erase", board.page_size)
    assert found.changed == tuple(
        sorted((at - slot.address) // board.page_size for at in erased if slot.address <= at < slot.end)
    )
    pages = -(-(board.vector_size + len(new)) // board.page_size)
    assert 0 < len(found.changed) < pages or board.page_size > 0x8000, "a page that is left alone shows something"


def test_pages_and_seconds_are_those_of_the_twin(shop: Workshop, tmp_path: Path) -> None:
    pages_and_seconds(shop, tmp_path)


@pytest.mark.parametrize("name", ["NUCLEO-F429ZI", "DISCO-H745I"])
def test_pages_and_seconds_with_sectors(name: str, tmp_path: Path) -> None:
    pages_and_seconds(workshop(Board.load(name), "clang", tmp_path), tmp_path, 10_000)


@pytest.mark.soak
@pytest.mark.parametrize(
    "name",
    [
        *("NUCLEO-F429ZI", "DISCO-H745I", "NUCLEO-L073RZ", "NUCLEO-U575ZI-Q", "NUCLEO-H563ZI"),
        *("DISCO-F769I", "NUCLEO-G0B1RE", "NUCLEO-G474RE", "DISCO-L562E", "NUCLEO-WL55JC"),
    ],
)
def test_pages_and_seconds_of_every_geometry(name: str, tmp_path: Path) -> None:
    """With more than a sector."""
    board = Board.load(name)
    size = min(board.page_size + 5000, 200_000) if board.page_size > 0x8000 else 24_000
    pages_and_seconds(workshop(board, "clang", tmp_path), tmp_path, size)


# Hints: what is said is what is saved when it is done


def image(elf: Path, version: str) -> Image:
    return Image.load(elf, BOARD, version)


def only(found: Explanation, title: str) -> Hint:
    """The one hint of *title*."""
    hints = [hint for hint in found.hints or () if hint.title == title]
    assert len(hints) == 1, found.hints
    return hints[0]


def saves_what_it_says(old: Image, new: Image, better: Image, title: str, tolerance: float = 0.0) -> None:
    """*better* is *new* built as the hint says; *tolerance*: of the saving, where the hint says "about"."""
    before, after = explain(old, new), explain(old, better)
    hint = only(before, title)
    real = before.file_size - after.file_size
    print(f"{title}: said {hint.saves:.0f}, saved {real} of {before.file_size}")
    assert real > 0 and abs(hint.saves - real) <= tolerance * real
    assert hint.exact == (tolerance == 0)
    assert hint.pages == len(before.forecast.changed) - len(after.forecast.changed)  # type: ignore[union-attr]
    assert not [each for each in after.hints or () if each.title == title], "done, and still hinted at"


@pytest.fixture(scope="module")
def old_app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the first release, built there."""
    folder = tmp_path_factory.mktemp("apps") / "old"
    weighed.write_sources(folder)
    weighed.link(folder, folder / "app.elf", BOARD)
    return folder


def test_link_order(old_app: Path) -> None:
    """NEW is linked in any order, then in that of OLD.  It says "about": a tenth, here it is right to the byte."""
    folder = old_app.parent / "rel"
    mapped = [f"-ffile-prefix-map={folder}={old_app}"]
    weighed.write_sources(folder, release=1)
    order = list(range(weighed.SOURCES))
    random.Random(3).shuffle(order)
    new = weighed.link(folder, folder / "any.elf", BOARD, order=order, options=mapped)
    better = weighed.link(folder, folder / "sorted.elf", BOARD, options=mapped)
    old = image(old_app / "app.elf", "1.0.0")
    saves_what_it_says(old, image(new, "1.1.0"), image(better, "1.1.0"), "link order", 0.1)


@pytest.mark.parametrize(("name", "tolerance"), [("new", 0.0), ("release-1.1.0", 0.1)])
def test_build_paths(old_app: Path, name: str, tolerance: float) -> None:
    """In a folder whose name is as long as the old one's, and in one with a longer name, behind which all moves."""
    folder = old_app.parent / name
    weighed.write_sources(folder, release=1)
    new = weighed.link(folder, folder / "app.elf", BOARD)
    mapped = weighed.link(folder, folder / "map.elf", BOARD, options=[f"-ffile-prefix-map={folder}={old_app}"])
    old = image(old_app / "app.elf", "1.0.0")
    saves_what_it_says(old, image(new, "1.1.0"), image(mapped, "1.1.0"), "paths of the build", tolerance)


def test_time_of_the_build(tmp_path: Path) -> None:
    """SOURCE_DATE_EPOCH, which compilers know."""
    text = '"NUMBER " __DATE__ " " __TIME__'
    weighed.write_sources(tmp_path / "old", text=text)
    weighed.write_sources(tmp_path / "new", release=1, text=text)
    old = weighed.link(tmp_path / "old", tmp_path / "old.elf", BOARD, epoch=1_700_000_000)
    new = weighed.link(tmp_path / "new", tmp_path / "new.elf", BOARD, epoch=1_764_400_000)
    fixed = weighed.link(tmp_path / "new", tmp_path / "fixed.elf", BOARD, epoch=1_700_000_000)
    images = [image(elf, version) for elf, version in ((old, "1.0.0"), (new, "1.1.0"), (fixed, "1.1.0"))]
    saves_what_it_says(images[0], images[1], images[2], "time of the build")


KEPT = ("    .data :", "    .note.gnu.build-id : { KEEP(*(.note.gnu.build-id)) } > FLASH\n    .data :")


@pytest.mark.soak
def test_build_id(old_app: Path, tmp_path: Path) -> None:
    """The linker takes an id of ours: that of the old release."""
    folder = tmp_path / "new"
    weighed.write_sources(folder, release=1, text='"NUMBER"')
    weighed.write_sources(tmp_path / "old", text='"NUMBER"')
    old = weighed.link(tmp_path / "old", tmp_path / "old.elf", BOARD, script=KEPT, linking=["--build-id=sha1"])
    new = weighed.link(folder, tmp_path / "new.elf", BOARD, script=KEPT, linking=["--build-id=sha1"])
    data = image(old, "1.0.0").data
    was = data[data.index(b"GNU\0") + 4 :][:20].hex()
    same = weighed.link(folder, tmp_path / "same.elf", BOARD, script=KEPT, linking=[f"--build-id=0x{was}"])
    images = [image(elf, version) for elf, version in ((old, "1.0.0"), (new, "1.1.0"), (same, "1.1.0"))]
    saves_what_it_says(images[0], images[1], images[2], "build id", 0.1)


def test_all_of_them_are_found_at_once_and_sorted(old_app: Path) -> None:
    folder = old_app.parent / "mix"
    weighed.write_sources(folder, release=1)
    new = weighed.link(folder, folder / "app.elf", BOARD, order=list(reversed(range(weighed.SOURCES))))
    found = explain(image(old_app / "app.elf", "1.0.0"), image(new, "1.1.0"))
    assert {"link order", "paths of the build"} == {hint.title for hint in found.hints or ()}
    assert all(first.saves >= second.saves for first, second in itertools.pairwise(found.hints or ()))
