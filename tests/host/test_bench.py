"""The benchmark of patch sizes: arithmetic, tables and picture, and that docs/delta.md says what follows from them."""

from __future__ import annotations

import dataclasses
import io
import random
import re
import tarfile
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import pytest

from bench.delta import corpus, ours, packages, page, plot, table
from bench.delta.measure import BenchError, ImageResult, PairResults, Result
from bench.delta.peers import FITS_SIZE, PEERS
from bench.delta.table import Best, Row
from bench.delta.worker import run
from spboot import delta, release
from spboot.formats import intel_hex
from spboot.formats.segment import Segment
from spboot.keys import Keys
from spboot.version import Version
from tests import apps
from tools import train_prior

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "delta.md").read_text(encoding="utf-8")
FITTING = "hpatchlite tuz 4096"
LARGE = "bsdiff4"


def result(size: int, **more: int) -> Result:
    return Result(version="tool 1", sizes={"file": size, **more}, cpu_s=0.5, wall_s=0.5, memory=1)


def results(pair: corpus.Pair, size: int, peers: dict[str, int]) -> PairResults:
    return PairResults(
        pair=pair,
        old_size=4000,
        new_size=5000,
        ours=result(size, stream=size - 12, payload=size + 20, artefact=size + 156),
        peers={name: result(patch) for name, patch in peers.items()},
        missing={"xdelta3 -9 -S djw": "xdelta3 is not installed"},
    )


@pytest.fixture
def rows() -> list[Row]:
    """Two pairs: one where recorded sizes are the best, one where peers are better."""
    first, second = corpus.pairs("pybricks")[:2]
    return [
        table.row(results(first, 1000, {FITTING: 10_000_000, LARGE: 10_000_000})),
        table.row(results(second, 1000, {FITTING: 4000, LARGE: 2000})),
    ]


def test_geometric_mean() -> None:
    assert table.geometric_mean([0.5, 2, 8]) == pytest.approx(2)
    assert table.geometric_mean([0.25]) == pytest.approx(0.25)
    for nothing in ([], [1.0, 0.0], [1.0, -1.0]):
        with pytest.raises(BenchError, match="expected numbers above 0"):
            table.geometric_mean(nothing)


def test_what_was_recorded_is_of_the_corpus() -> None:
    recorded = table.recorded()
    assert list(recorded) == [pair.name for pair in corpus.pairs()]
    for fits, best in recorded.values():
        assert 0 < best.size <= fits.size and fits.recorded and best.recorded
    fits, best = recorded["primehub-7.27.0-7.28.0"]
    assert (fits.size, fits.tool) == (23_332, "hpatchlite tuz dict=4096")
    assert (best.size, best.tool) == (15_679, "detools data-format arm-cortex-m4 lzma")


def test_no_maker_has_products_in_both_halves() -> None:
    halves: dict[str, set[str]] = {}
    for pair in corpus.pairs():
        halves.setdefault(pair.source, set()).add(pair.half)
    assert all(len(half) == 1 for half in halves.values())
    groups = corpus.groups()
    assert set(groups["measured"]) | set(groups["trained"]) == {pair.name for pair in corpus.pairs()}
    assert len(groups["pybricks"]) == 18 and set(groups["pybricks"]) <= set(groups["trained"])
    assert min(len(groups["measured"]), len(groups["trained"])) >= 20
    assert len({pair.source for pair in corpus.pairs() if pair.half == "measured"}) >= 6


def test_what_is_measured_is_not_trained_on() -> None:
    assert {pair.half for pair in corpus.training()} == {"trained"}
    assert not {pair.name for pair in corpus.training()} & set(corpus.groups()["measured"])
    assert train_prior.chosen(["all"]) == corpus.training()
    name = "cityhub-4.0.0-4.0.1"
    assert [pair.name for pair in train_prior.chosen([name])] == [name]
    for wrong in (corpus.groups()["measured"][0], "cityhub-4.0.0-9.9.9"):
        with pytest.raises(corpus.CorpusError, match="no pair of the trained half"):
            train_prior.chosen([name, wrong])


def test_the_best_is_the_smaller_of_recorded_and_measured(rows: list[Row]) -> None:
    fits, best = table.recorded()[rows[0].pair]
    assert (rows[0].fits, rows[0].any) == (fits, best)
    assert rows[1].fits == Best(size=4000, tool=FITTING)
    assert rows[1].any == Best(size=2000, tool=LARGE)
    assert (rows[1].fits_ratio, rows[1].any_ratio) == (0.25, 0.5)


def test_a_tool_that_needs_more_ram_does_not_count_as_one_that_fits() -> None:
    assert {peer.name: peer.fits for peer in PEERS}[FITTING]
    assert not {peer.name: peer.fits for peer in PEERS}[LARGE]
    assert dataclasses.replace(PEERS[0], ram=FITS_SIZE).fits
    assert not dataclasses.replace(PEERS[0], ram=FITS_SIZE + 1).fits
    assert len({peer.name for peer in PEERS}) == len(PEERS)
    alone = table.row(results(corpus.pairs("pybricks")[0], 9, {LARGE: 7}))
    assert alone.fits.recorded and alone.any.tool == LARGE
    both = table.row(results(corpus.pairs("pybricks")[0], 9, {FITTING: 5, LARGE: 7}))
    assert both.fits.tool == both.any.tool == FITTING


def test_the_table_can_be_read_again(rows: list[Row]) -> None:
    text = table.render(rows)
    assert table.parse(f"before\n\n{text}\nafter | all |\n") == rows
    lines = text.splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[-2].endswith("| 4,000 | hpatchlite tuz 4096 | 0.250 | 2,000 | bsdiff4 | 0.500 |")
    assert " † | " in lines[-3] and " † | " not in lines[-2]
    expected = (rows[0].fits_ratio * rows[1].fits_ratio) ** 0.5
    assert f"| **{expected:.3f}** |" in lines[-1]
    with pytest.raises(BenchError, match="make bench"):
        table.parse("nothing here")


def test_the_section_names_tools_and_what_is_missing() -> None:
    told = [results(pair, 100, {FITTING: 200, LARGE: 400}) for pair in corpus.pairs()]
    told[0].peers["detools crle"] = result(1)  # has no number for the others, so it has no mean
    rows = [table.row(each) for each in told]
    images = [ImageResult(name="hub-1", size=9000, xz=2000, ours=result(1980, payload=2100, artefact=2236))]
    text = page.section(rows, told, images)
    assert table.parse(text) == rows
    assert re.search(r"^\| \*\*measured half\*\* \| \*\*28\*\* \| \*\*0\.6\d\d\*\* ", text, re.M)
    assert re.search(r"^\| pybricks \| 18 \| 0\.\d", text, re.M)
    assert "| hub-1 | 9,000 | 2,000 | 2,100 | 2,236 | 1.050 |" in text
    tools = text[text.index("### Each tool") :]
    assert re.findall(r"^\| (\S+) .*\| (yes|no) \| ([\d,]+) \| ([\d.]+) \|$", tools, re.M) == [
        ("**spboot**", "yes", "100", "1.000"),
        ("hpatchlite", "yes", "200", "0.500"),
        ("bsdiff4", "no", "400", "0.250"),
    ]
    assert text.endswith("xdelta3 -9 -S djw: xdelta3 is not installed.\n")


def test_only_the_marked_section_of_the_page_is_replaced() -> None:
    begin, end = page.BEGIN.format("x"), page.END.format("x")
    text = f"# head\n{begin}old\n{end}tail\n"
    assert page.replace(text, "new\n", "x") == f"# head\n{begin}new\n{end}tail\n"
    assert page.replace(page.replace(text, "new\n", "x"), "old\n", "x") == text
    for wrong in ("# head\n", f"{end}{begin}", text + text):
        with pytest.raises(BenchError, match="once each"):
            page.replace(wrong, "new\n", "x")
    for name in ("bench", "generated", "cycles"):
        assert page.replace(PAGE, "", name).count(f"<!-- {name}:") == 2


def test_the_picture_shows_every_pair_inside_its_frame(rows: list[Row]) -> None:
    picture = plot.plot(rows)
    assert picture == plot.plot(rows)
    root = ElementTree.fromstring(picture)
    width, height = (float(root.attrib[name]) for name in ("width", "height"))
    titles = [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}title")]
    assert [title.partition(":")[0] for title in titles] == [row.pair for row in rows]
    for node in root.iter():
        at = [(node.attrib[x], node.attrib[y]) for x, y in (("cx", "cy"), ("x", "y"), ("x2", "y2")) if x in node.attrib]
        assert all(0 < float(x) < width and 0 < float(y) < height for x, y in at)
    ours_at = [float(n.attrib["cx"]) for n in root.iter() if n.get("class") == "ours"][1:]
    any_at = [float(n.attrib["cx"]) for n in root.iter() if n.get("class") == "any"][1:]
    assert ours_at[0] == ours_at[1] < any_at[1] < any_at[0]


def test_our_sizes_are_those_of_the_files(secrets: Keys) -> None:
    source = random.Random(1)
    old = source.randbytes(1500)
    new = old[:700] + source.randbytes(800) + old[700:]
    common = {"target": "NUCLEO-L476RG", "capacity": 0x10000, "keys": secrets, "version": Version(1, 0, 1)}
    base = release.Base(image=old, version=Version(1, 0, 0))
    patch = apps.forced_patch(base, new, **common)  # type: ignore[arg-type]
    found = ours.sizes(old, new, 0)
    assert found.artefact == len(patch)
    assert found.payload == release.Artefact.parse(patch).header.manifest.payload_size
    assert found.file == len(delta.encode_file(old, new)) == found.stream + 12
    image = apps.forced_image(new, **common)  # type: ignore[arg-type]
    assert ours.sizes(b"", new, 0).artefact == len(image)
    assert run("spboot", old, new, 0)["sizes"] == dataclasses.asdict(found)


def test_an_image_that_is_another_one_is_refused() -> None:
    with pytest.raises(corpus.CorpusError, match=r"movehub-6\.2\.0 has 3 bytes"):
        corpus.check("movehub-6.2.0", b"abc")
    with pytest.raises(corpus.CorpusError, match="not in the corpus"):
        corpus.path("movehub", "1.2.3")


def test_without_npm_the_corpus_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(corpus, "FOLDER", tmp_path / "corpus")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(corpus.CorpusError, match="make tools"):
        corpus.firmware("movehub", "6.2.0")


def test_a_package_that_pip_does_not_give_is_named(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    offline = ("--no-index", f"--find-links={nothing}")
    wanted = packages.Release(registry="pypi", package="greatfet", version="1.0", sha256="0" * 64, options=offline)
    with pytest.raises(corpus.CorpusError, match=r"pypi does not give greatfet@1\.0: is there a network"):
        packages.fetch(wanted, tmp_path)


def test_firmware_is_found_in_packages(tmp_path: Path) -> None:
    """In a zip in a tar; as Intel HEX in the text of a program, up to the first large hole."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("other.bin", b"x")
        archive.writestr("firmware.bin", b"firmware")
    with tarfile.open(tmp_path / "package.tgz", "w:gz") as package:
        member = tarfile.TarInfo("package/hub.zip")
        member.size = len(inner.getvalue())
        package.addfile(member, io.BytesIO(inner.getvalue()))
    path = ["*/hub-2.zip|*/hub.zip", "firmware*.bin"]
    assert packages.image(tmp_path / "package.tgz", path, 0) == b"firmware"
    with pytest.raises(corpus.CorpusError, match=r"package\.tgz has no file \*/board\.zip"):
        packages.image(tmp_path / "package.tgz", ["*/board.zip"], 0)
    records = intel_hex.write([Segment(0x100, b"abc"), Segment(0x110, b"d"), Segment(0x10001000, b"settings")])
    with zipfile.ZipFile(tmp_path / "wheel.whl", "w") as archive:
        archive.writestr("tool.py", b'RUNTIME = """' + records + b'"""\n')
    assert packages.image(tmp_path / "wheel.whl", ["tool.py"], 0x100) == b"abc" + b"\xff" * 13 + b"d"


def test_the_document_follows_from_its_rows() -> None:
    """Once `make bench` has written docs/delta.md: its means, its best tools and its picture are those of its rows."""
    if table.HEAD not in PAGE:
        assert "Not measured yet" in PAGE and not (ROOT / "docs" / "delta.svg").exists()
        return
    rows = table.parse(PAGE)
    assert [row.pair for row in rows] == [pair.name for pair in corpus.pairs()]
    for half in ("measured", "trained"):
        assert table.render(table.of_group(rows, half)) in PAGE
    recorded = table.recorded()
    assert all(row.fits.size <= recorded[row.pair][0].size for row in rows)
    assert all(row.any.size <= recorded[row.pair][1].size for row in rows)
    assert (ROOT / "docs" / "delta.svg").read_text(encoding="utf-8") == plot.plot(rows)
