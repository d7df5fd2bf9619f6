"""`spboot dossier` of the demo's release on the twin: each claim has its run, no run no claim, and what fails is said.

Also what the compiler is needed for: `spboot reproduce` and `sbom` of a real bootloader, by both compilers."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import textwrap
from pathlib import Path

import pytest

from spboot import project, releases, reproduce, sbom
from spboot.boards import Board
from spboot.builder.bootloader import build
from spboot.builder.build_record import BuildRecord
from spboot.builder.demo import build_demo
from spboot.device import Device
from spboot.dossier import GROUPS, examine, questions, refusals, starts
from spboot.dossier import updates as sweep
from spboot.dossier.document import Dossier
from spboot.dossier.subject import Subject
from spboot.keys import Keys
from spboot.making import Making, postbuild
from spboot.releases import Release
from spboot.version import Version
from tests.host.test_cli import Run, run  # noqa: F401
from tests.host.test_sbom import assert_valid, named

BOARD = "NUCLEO-L476RG"
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "supply-chain.md").read_text(encoding="utf-8")
LONG = ("dossier", "reproduce")
"""Commands of the page that are run by `make soak` alone; the tests here run what they call."""
QUICK = ("cuts", "refusals", "reproducible", "secure-boot")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys, bootloader, and releases 1.0.0 and 1.1.0 of the demo."""
    folder = tmp_path_factory.mktemp("dossier")
    board, keys = Board.load(BOARD), Keys.new(folder / "keys", "demo", development=True)
    build(board, keys, folder / "boot", user_data=b"of the owner\xff")
    for version in (Version(1, 0, 0), Version(1, 1, 0)):
        app = build_demo(board, version, folder / "apps")
        making = Making(app=app, board=board, keys=keys, version=version, name="lamp", bootloader=folder / "boot")
        postbuild(making, folder / "releases", releases.all_in(folder / "releases"))
    (folder / "spboot.toml").write_text(project.text(board=BOARD, keys="keys", name="lamp"))
    own = {"bomFormat": "CycloneDX", "components": [{"type": "library", "name": "rtos"}]}
    (folder / "rtos.cdx.json").write_text(json.dumps(own))
    (statement,) = re.findall(r"( {4}\[\[vulnerability\]\]\n(?: {4}.*\n)+)", PAGE)
    (folder / "vex.toml").write_text(textwrap.dedent(statement))
    return folder


def newest(place: Path) -> Release:
    return releases.all_in(place / "releases")[-1]


def made(place: Path, *without: str, points: int = 2, keys: Keys | None = None) -> Dossier:
    secrets = keys or Keys.load(place / "keys")
    return examine(newest(place), Board.load(BOARD), secrets, bootloader=place / "boot", without=without, points=points)


@pytest.fixture(scope="module")
def whole(place: Path) -> Dossier:
    return made(place)


@pytest.fixture(scope="module")
def less(place: Path) -> Dossier:
    return made(place, *QUICK)


def test_each_claim_has_its_run(whole: Dossier) -> None:
    assert not whole.failed, [(each.id, each.found) for each in whole.failed]
    assert {each.group for each in whole.claims} == set(GROUPS)
    ids = [each.id for each in whole.claims]
    assert len(ids) == len(set(ids)) >= 28
    for each in whole.claims:
        assert each.run and each.inputs and (each.found or each.counts), each.id
        assert all(re.fullmatch("[0-9a-f]{64}", given.sha256) for given in each.inputs)
    claims = {each.id: each for each in whole.claims}
    assert "starting 1.1.0" in claims["starts"].found
    assert claims["cuts-patch"].counts["power cuts"] == 2 and claims["cuts-patch"].counts["lost devices"] == 0
    codes = {name: claims[f"refuse-{name}"].found[0] for name in ("unsigned", "other-product", "other-board")}
    codes |= {name: claims[f"refuse-{name}"].found[0] for name in ("same-version", "older-version", "truncated")}
    assert [re.findall(r"refused, code (\d+):", words)[0] for words in codes.values()] == ["15", "13", "27", "26", "12",
        "19"]  # fmt: skip
    assert "DEVELOPMENT KEYS: anybody can sign" in claims["keys"].found
    assert whole.gaps[0].startswith("The release was made with development keys")


def test_every_question_has_a_claim_that_was_run(whole: Dossier) -> None:
    ids = [each.id for each in whole.claims]
    assert all(questions.answers(each, ids) for each in questions.ALL)
    known = [each for question in questions.ALL for each in question.claims]
    assert all(any(name.startswith(each) for name in ids) for each in known), "a claim that no run makes"


def test_a_run_that_is_left_out_takes_its_claim_with_it(whole: Dossier, less: Dossier) -> None:
    assert [each.facts() for each in less.claims] == [each.facts() for each in whole.claims if each.group not in QUICK]
    text = less.markdown()
    assert "cuts-" not in text and "no run in this dossier" in text
    assert "Left out when this dossier was made: cuts." in text and "cuts." not in whole.markdown()


def test_two_dossiers_of_one_release_agree(place: Path, less: Dossier, tmp_path: Path, run: Run) -> None:  # noqa: F811
    """Made in two places, in one of them by the command."""
    shutil.copytree(place, tmp_path / "elsewhere")
    there = tmp_path / "elsewhere" / "releases" / newest(place).folder.name
    before = {path.name: path.read_bytes() for path in there.iterdir()}
    left_out = [word for group in QUICK for word in ("--without", group)]
    own = ("--keys", tmp_path / "elsewhere" / "keys", "--bootloader", tmp_path / "elsewhere" / "boot")
    code, out, err = run("dossier", there, *own, *left_out)
    assert (code, err) == (0, "") and out.splitlines()[0] == "holds  starts, factory files with the same content: 3"
    text = (there / "dossier.md").read_text()
    assert (text, (there / "dossier.json").read_text()) == (less.markdown(), less.json())
    assert str(tmp_path) not in text and str(place) not in text
    after = {path.name: path.read_bytes() for path in there.iterdir()}
    assert after.keys() - before.keys() == {"dossier.md", "dossier.json"}
    assert {name: after[name] for name in before} == before


@pytest.mark.soak
def test_two_whole_dossiers_agree(whole: Dossier, place: Path) -> None:
    again = made(place)
    assert (again.markdown(), again.json()) == (whole.markdown(), whole.json())


def test_what_fails_is_claimed_as_failed(place: Path, tmp_path: Path, run: Run) -> None:  # noqa: F811
    """The image in the release is that of version 1.0.0, which devices have, and of its keys it says what is not so."""
    shutil.copytree(place, tmp_path / "bad")
    old, bad = releases.all_in(tmp_path / "bad" / "releases")
    (bad.folder / bad.image.file).write_bytes(old.path(old.image).read_bytes())
    fresh = releases.item(bad.folder / bad.image.file, "image")
    items = tuple(fresh if each.kind == "image" else each for each in bad.items)
    (bad.folder / releases.FILE).write_text(dataclasses.replace(bad, items=items, development=False).text())
    less = [word for group in (*QUICK, "starts", "sbom") for word in ("--without", group)]
    words = ("dossier", bad.folder, "--keys", place / "keys", "--bootloader", place / "boot", "-o", tmp_path)
    code, out, err = run(*words, *less, "--json")
    assert code == 1 and "3 of 5 claims failed: signatures, update-image, keys; see" in err
    assert json.loads(out)["claims"]["update-image"] == "failed"
    text = (tmp_path / "dossier.md").read_text()
    assert "**3 of 5 claims failed.**" in text and "### update-image: FAILED" in text
    assert "refused, code 26: already installed" in text and "update-image (FAILED)" in text


def test_a_device_that_is_lost_fails_the_sweep(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its cut takes the vectors of the bootloader, which no update writes, so that nothing starts any more."""
    deliver = sweep._deliver

    def takes_more(device: Device, data: bytes) -> None:
        armed = device.twin.log.cut is not None
        deliver(device, data)
        if armed:
            device.twin.flash_load(device.board.bootloader.address, bytes(64))

    monkeypatch.setattr(sweep, "_deliver", takes_more)
    failed = made(place, *(group for group in GROUPS if group != "cuts"), points=1).failed
    assert [each.id for each in failed] == ["cuts-image", "cuts-patch"]
    assert failed[0].counts["lost devices"] == 1 and failed[0].found[0].startswith("lost at cut 0: ")


def test_a_device_that_comes_back_with_something_else_is_lost(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut left it with a version that no update of the sweep has."""
    monkeypatch.setattr(sweep, "_comes_back", lambda *_: "version 9.9.9")
    failed = made(place, *(group for group in GROUPS if group != "cuts"), points=1).failed
    assert [each.id for each in failed] == ["cuts-image", "cuts-patch"]
    assert failed[0].found == ("lost at cut 0: it comes back with version 9.9.9",)


def test_without_refusals_no_signer_is_asked(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a file was made for a refusal")

    monkeypatch.setattr(refusals, "checks", never)
    assert made(place, *(group for group in GROUPS if group != "keys")).claims


def test_what_is_good_is_no_evidence_of_a_refusal(place: Path) -> None:
    """A good update in the place of a bad one, and a bit that no application has in that of one that it has."""
    subject = Subject(release=newest(place), board=Board.load(BOARD), keys=Keys.load(place / "keys"))
    good = subject.data(subject.release.image)
    bad = refusals.Bad(id="good", words="a good image", data=good, codes=("SAME_VERSION",))
    assert not refusals._refused(subject, bad, subject.before).holds
    assert not refusals._refused(subject, dataclasses.replace(bad, codes=("WRONG_BOARD",)), subject.after).holds
    assert refusals._refused(subject, bad, subject.after).holds
    assert not starts._refuses(subject, subject.board.slot0.end - 1).holds
    assert starts._refuses(subject, subject.board.image_address).holds


def test_without_the_signing_key_less_is_claimed(place: Path) -> None:
    keys = dataclasses.replace(Keys.load(place / "keys"), signing=None)
    subject = Subject(release=newest(place), board=Board.load(BOARD), keys=keys)
    ids = {each.id for each in refusals.checks(subject)}
    assert "refuse-other-key" in ids and not ids & {"refuse-other-product", "refuse-other-board"}
    assert subject.gaps == ["Not run: images for another product and another board. The signing key is not here."]


def test_a_first_release_is_taken_by_a_bare_device(place: Path, tmp_path: Path) -> None:
    old = newest(place).folder.parent / f"lamp_{BOARD}_1.0.0"
    shutil.copytree(old, tmp_path / "releases" / old.name)
    only = [group for group in GROUPS if group not in ("updates", "cuts")]
    first = examine(
        Release.load(tmp_path / "releases" / old.name), Board.load(BOARD), Keys.load(place / "keys"), without=only,
        points=2,
    )  # fmt: skip
    assert [each.id for each in first.claims] == ["update-image", "cuts-image"] and not first.failed
    assert "A device without an application takes the full image" in first.claims[0].sentence
    assert first.claims[1].counts["came back with its loader"] >= 1


def test_a_real_bootloader_is_of_our_sources_alone(place: Path) -> None:
    record = BuildRecord.load(place / "boot", BOARD)
    assert record.unknown == () and "include/freestanding/string.h" in record.sources
    bill = sbom.of_bootloader(place / "boot", BOARD)
    assert not named(bill, "library") and len(named(bill, "file")) == len(record.sources) + len(record.generated) > 100
    assert_valid(bill)


@pytest.mark.soak
def test_gcc_builds_the_same_again(place: Path, tmp_path: Path) -> None:
    board, keys = Board.load(BOARD), Keys.load(place / "keys")
    build(board, keys, tmp_path / "boot", compiler="gcc")
    again = reproduce.of_bootloader(tmp_path / "boot", board, keys)
    assert again.same and len(again.files) == 8 and not again.reasons
    assert not named(sbom.of_bootloader(tmp_path / "boot", BOARD), "library")


def commands() -> list[list[str]]:
    """Those of docs/supply-chain.md that stand in blocks."""
    return [line.split() for line in re.findall(r"^ {4}spboot (.*)$", PAGE, re.MULTILINE)]


def follow(folder: Path, run: Run, wanted: bool) -> None:  # noqa: F811
    os.chdir(folder)
    mine = [words for words in commands() if (words[0] in LONG) == wanted]
    assert len(mine) >= 3
    for words in mine:
        code, _, err = run(*words)
        assert (code, err) == (0, ""), (words, err)


def test_the_page_can_be_followed(place: Path, run: Run) -> None:  # noqa: F811
    follow(place, run, False)
    bill = json.loads((place / "lamp.cdx.json").read_text())
    assert "rtos" in named(bill, "library") and bill["vulnerabilities"][0]["id"] == "CVE-2026-0001"
    assert_valid(bill)


@pytest.mark.soak
def test_the_rest_of_the_page_can_be_followed(place: Path, run: Run) -> None:  # noqa: F811
    follow(place, run, True)
    (script,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(script, {})
