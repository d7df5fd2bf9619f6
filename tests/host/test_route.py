"""Release folders are read strictly, and the way through them is the cheapest."""

from __future__ import annotations

import doctest
import hashlib
import importlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spboot import release
from spboot.errors import FormatError, VersionError
from spboot.keys import Keys
from spboot.link.installed import installed, started
from spboot.releases import Item, Release
from spboot.route import Route, Update, releases, route
from spboot.version import Version

from . import release_folder
from .conftest import NEW_APP, OLD_APP, TARGET, made


def simple(folder: Path) -> Path:
    """1.1.0, 1.2.0 and 1.3.0, with costs that make one way shortest in seconds and another in bytes."""
    costs: dict[str, tuple[int, float, dict[str, tuple[int, float]]]] = {
        "1.1.0": (50_000, 9.0, {"1.0.0": (3_000, 2.0)}),
        "1.2.0": (50_000, 9.0, {"1.1.0": (3_000, 2.0)}),
        "1.3.0": (50_000, 9.0, {"1.2.0": (3_000, 2.0), "1.0.0": (20_000, 5.0), "1.1.0": (8_000, 4.0)}),
    }
    for version, (size, seconds, patches) in costs.items():
        release_folder.write(
            folder / version,
            version,
            bytes(size),
            {base: bytes(number) for base, (number, _) in patches.items()},
            board=TARGET,
            seconds={"": seconds} | {base: time for base, (_, time) in patches.items()},
        )
    return folder


def full_of(found: Release) -> Update:
    return Update.of(found, found.image)


def files(way: Route) -> list[str]:
    return [step.path.name.removeprefix("lamp-") for step in way.steps]


WAYS = {
    ("1.0.0", "seconds"): ["1.0.0-1.3.0.sfbp"],
    ("1.0.0", "bytes"): ["1.0.0-1.1.0.sfbp", "1.1.0-1.2.0.sfbp", "1.2.0-1.3.0.sfbp"],
    ("1.1.0", "seconds"): ["1.1.0-1.3.0.sfbp"],
    ("1.1.0", "bytes"): ["1.1.0-1.2.0.sfbp", "1.2.0-1.3.0.sfbp"],
    ("1.2.0", "seconds"): ["1.2.0-1.3.0.sfbp"],
    ("1.0.7", "seconds"): ["1.3.0.sfb"],
    ("0.9", "bytes"): ["1.3.0.sfb"],
    (None, "seconds"): ["1.3.0.sfb"],
    ("1.3.0", "seconds"): [],
}


@pytest.mark.parametrize(("start", "by"), WAYS, ids=str)
def test_the_shortest_way(start: str | None, by: Any, tmp_path: Path) -> None:
    """1.1.0 to 1.3.0 takes 4 s by one patch and by two: one file is better than two."""
    way = route(releases(simple(tmp_path)), start and Version.parse(start), by)
    assert files(way) == WAYS[start, by]
    assert way.size == sum(step.size for step in way.steps)


def test_what_a_way_says_of_itself(tmp_path: Path) -> None:
    found = releases(simple(tmp_path))
    assert str(route(found, Version(1, 0, 0))) == "1.0.0 -> 1.3.0 by patch: 20,000 bytes, 5.0 s"
    assert str(route(found, Version(1, 0, 0), "bytes")) == "1.0.0 -> 1.3.0 by 3 patches: 9,000 bytes, 6.0 s"
    assert str(route(found, None)) == "an unknown version -> 1.3.0 by full image: 50,000 bytes, 9.0 s"
    assert str(route(found, Version(1, 3, 0))) == "1.3.0 is installed already"


def test_nothing_is_older_than_installed(tmp_path: Path) -> None:
    with pytest.raises(VersionError, match=r"has 1\.3\.1, and takes nothing older: 1\.3\.0 is the newest release here"):
        route(releases(simple(tmp_path)), Version(1, 3, 1))


def test_of_a_device_that_says_nothing_no_patch_is_right(tmp_path: Path) -> None:
    """Not even behind a small full image: what is sent first may be refused, or be all that is sent."""
    for version, size, patches in (("1.1.0", 40, {}), ("1.2.0", 60, {"1.1.0": bytes(1)})):
        release_folder.write(tmp_path / version, version, bytes(size), patches, board=TARGET)
    assert files(route(releases(tmp_path), None, "bytes")) == ["1.2.0.sfb"]
    assert files(route(releases(tmp_path), Version(1, 0, 0), "bytes")) == ["1.1.0.sfb", "1.1.0-1.2.0.sfbp"]


def test_what_a_dead_postbuild_left_is_no_release(tmp_path: Path) -> None:
    simple(tmp_path)
    (tmp_path / "1.2.0").rename(tmp_path / ".1.2.0.old")
    shutil.copytree(tmp_path / ".1.2.0.old", tmp_path / "1.2.0")
    assert [str(each.version) for each in releases(tmp_path)] == ["1.1.0", "1.2.0", "1.3.0"]


def test_the_list_on_the_page_is_one(tmp_path: Path) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "programming.md").read_text(encoding="utf-8")
    block = text[text.index('{"format"') : text.index("\n\nSizes are")]
    (tmp_path / "release.json").write_text(block.replace('"..."', f'"{"0" * 64}"'))
    found = Release.load(tmp_path)
    assert (str(found.version), found.image.seconds, str(found.patches[0].base)) == ("1.2.0", 9.1, "1.1.0")


def test_one_folder_is_one_release(tmp_path: Path) -> None:
    found = releases(simple(tmp_path) / "1.2.0")
    assert [str(each.version) for each in found] == ["1.2.0"]
    assert files(route(found, Version(1, 1, 0))) == ["1.1.0-1.2.0.sfbp"]
    assert files(route(found, Version(1, 0, 0))) == ["1.2.0.sfb"]


def test_examples_in_docstrings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release_folder.write(tmp_path / "releases" / "1.1.0", "1.1.0", bytes(90_000), {"1.0.0": bytes(3_000)}, board=TARGET)
    monkeypatch.chdir(tmp_path)
    for module in ("spboot.route", "spboot.link.installed"):
        done = doctest.testmod(importlib.import_module(module))
        assert (done.attempted, done.failed) == (1, 0), module


def test_the_version_that_is_said() -> None:
    """The last word counts, divided anywhere; noise and a slot that is not whole are no version."""
    banner = b"\r\n[    0.000] spboot 0.1.0 for BOARD, 80 MHz, reset by software\r\n"
    holds = b"[    0.021] SLOT0 holds 1.2.3, 2600 bytes\r\n"
    said: dict[bytes, str | None] = {
        b"": None,
        holds: "1.2.3",
        holds + b"[    0.100] starting 1.2.3\r\n": "1.2.3",
        b"demo 9.9.9 on BOARD, installed as 1.2.3, bootloader 0.1.0\r\n": "1.2.3",
        b"installed as 1.2.": None,
        b"installed as 1.2.3": None,
        b"installed as 1.2.34 now": "1.2.34",
        b"SLOT0 holds 999.0.0, ": None,
        holds + banner: None,
        holds + banner + holds.replace(b"1.2.3", b"1.2.4"): "1.2.4",
        holds + b"[    0.022] no valid firmware in SLOT0\r\n": None,
        b"[    0.022] SLOT0: version 1.2.3 is not whole\r\n": None,
    }
    for text, version in said.items():
        found = installed(text)
        assert (None if found is None else str(found)) == version, text
    assert started(holds) is None
    assert str(started(b"[    0.100] starting 1.2.3\r\n[    0.1] starting 1.2.4\r\n")) == "1.2.4"


PATCHES = st.dictionaries(
    st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda pair: pair[0] < pair[1]),
    st.integers(1, 8),
    max_size=15,
)


@given(patches=PATCHES, fulls=st.lists(st.integers(4, 20), min_size=6, max_size=6), start=st.integers(0, 5))
@example(patches={(0, 1): 2, (1, 2): 2, (2, 5): 2, (0, 3): 5, (3, 5): 1}, fulls=[20] * 6, start=0)
def test_no_way_is_shorter(patches: dict[tuple[int, int], int], fulls: list[int], start: int) -> None:
    """Beside all ways, one after the other."""

    def item(kind: str, cost: int, base: int | None = None) -> Item:
        start = None if base is None else Version(1, base, 0)
        return Item(file=f"{base}", kind=kind, size=1, sha256="", base=start, seconds=float(cost))

    found = [
        Release(
            folder=Path(),
            name="lamp",
            board=TARGET,
            product="demo",
            version=Version(1, new, 0),
            git=None,
            development=False,
            items=(
                item("image", fulls[new]),
                *(item("patch", cost, old) for (old, to), cost in patches.items() if to == new),
            ),
        )
        for new in range(6)
    ]

    def shortest(at: int) -> tuple[int, int]:
        """Seconds, and files."""
        if at == 5:
            return 0, 0
        steps = [(cost, new) for (old, new), cost in patches.items() if old == at]
        steps += [(fulls[new], new) for new in range(at + 1, 6)]
        return min((cost + shortest(new)[0], 1 + shortest(new)[1]) for cost, new in steps)

    way = route(found, Version(1, start, 0))
    assert (way.seconds, len(way.steps)) == shortest(start)
    at: Version | None = Version(1, start, 0)
    for step in way.steps:
        assert step.base in (None, at)
        at = step.version


# folders


def test_a_folder_without_a_release(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(FormatError, match=r"has no release\.json, nor has a folder in it"):
            releases(folder)


def test_releases_that_do_not_belong_together(tmp_path: Path) -> None:
    release_folder.write(tmp_path / "a", "1.1.0", b"full", board=TARGET)
    release_folder.write(tmp_path / "b", "1.2.0", b"full", board="LAMP")
    with pytest.raises(FormatError, match=f"a is for board {TARGET}, b for LAMP"):
        releases(tmp_path)
    (tmp_path / "b" / "release.json").unlink()
    release_folder.write(tmp_path / "c", "1.1.0", b"full", board=TARGET)
    with pytest.raises(FormatError, match=r"a and c are both 1\.1\.0: remove one"):
        releases(tmp_path)


def test_a_file_is_what_the_release_says(tmp_path: Path, secrets: Keys) -> None:
    old, new = made(OLD_APP, "1.1.0"), made(NEW_APP, "1.2.0")
    full, patch = release.full_image(new, keys=secrets), release.patch(old, new, keys=secrets)
    folder = release_folder.write(tmp_path / "r", "1.2.0", full, {"1.1.0": patch}, board=TARGET)
    found = Release.load(folder)
    image = full_of(found)
    assert (image.read(), Update.of(found, found.patches[0]).read()) == (full, patch)
    others = {
        "version": release.full_image(made(NEW_APP, "1.2.1"), keys=secrets),
        "base and version|version and base|base": patch,
    }
    for what, data in others.items():
        (tmp_path / "other").mkdir(exist_ok=True)
        facts = json.loads((folder / "release.json").read_text())
        facts["items"][0] |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        (tmp_path / "other" / "release.json").write_text(json.dumps(facts))
        (tmp_path / "other" / "lamp-1.2.0.sfb").write_bytes(data)
        with pytest.raises(FormatError, match=f"has another (?:{what}) than release.json says"):
            full_of(Release.load(tmp_path / "other")).read()
    for change, words in ((full[:-1], "bytes, release.json says"), (full[:-1] + bytes([full[-1] ^ 1]), "another hash")):
        image.path.write_bytes(change)
        with pytest.raises(FormatError, match=words):
            image.read()
    assert hashlib.sha256(full).hexdigest() == image.sha256
