"""Generated GUI applications: the same bytes everywhere, pointers that meet their assets, and changes that change what
they say."""

from __future__ import annotations

import hashlib
import lzma
import struct
from functools import cache

import pytest

from bench.delta import generated, gui, limits
from bench.delta.gui import Parts
from examples.gui.assets import generate as assets

CODE, OUTSIDE, SMALL = 40_000, 500_000, 140_000
DIGESTS = {
    "before": ("1a2506b884204d2f", "6c9624aa91b40acd"),
    "everything-moved": ("e000261a315b1cec", "b6154bc6b93b7fc6"),
}
"""Of code and of what is outside.  Those of the code change with the version of ziglang in requirements.lock."""


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


@cache
def before() -> Parts:
    return gui.application(CODE, OUTSIDE).parts()


@cache
def after(change: str) -> Parts:
    return gui.CHANGES[change](gui.application(CODE, OUTSIDE)).parts()


def words(code: bytes) -> set[int]:
    return {word for (word,) in struct.iter_unpack("<I", code[: len(code) // 4 * 4])}


@pytest.mark.parametrize("name", DIGESTS)
def test_the_same_bytes_on_every_machine(name: str) -> None:
    parts = before() if name == "before" else after(name)
    assert (digest(parts.code), digest(parts.outside)) == DIGESTS[name]


@pytest.mark.parametrize("change", [None, "everything-moved"])
def test_the_code_points_at_every_asset(change: str | None) -> None:
    application = gui.application(CODE, OUTSIDE)
    application = gui.CHANGES[change](application) if change else application
    parts = application.parts()
    for asset, at in assets.places(application.assets, gui.ASSETS_AT):
        start = at - gui.ASSETS_AT
        assert parts.outside[start : start + asset.size] == asset.data()
        if asset.kind in assets.PICTURES:
            assert at in words(parts.code), asset.name
    assert parts.whole().endswith(parts.outside) and parts.whole().startswith(parts.code)


def test_each_change_is_what_its_name_says() -> None:
    old, picture = before(), next(each for each in gui.application(CODE, OUTSIDE).assets if each.name == "picture")
    assert 40_000 < len(old.code) < 100_000 and 450_000 < len(old.outside) <= OUTSIDE
    assert after("code-fix").outside == after("code-inserted").outside == old.outside
    assert 0 < len(after("code-fix").code) - len(old.code) < 64
    replaced = after("picture-replaced")
    assert replaced.code == old.code and picture.size == 102_400
    differ = [at for at, (a, b) in enumerate(zip(old.outside, replaced.outside, strict=True)) if a != b]
    assert picture.size // 2 < len(differ) and differ[-1] - differ[0] < picture.size
    for change in ("asset-inserted", "font-grown"):
        assert len(after(change).outside) > len(old.outside) and after(change).code != old.code
    first = gui.application(CODE, OUTSIDE).assets[0].size
    assert after("asset-inserted").outside.startswith(old.outside[:first])
    assert after("asset-inserted").outside.endswith(old.outside[-200_000:])


def test_a_patch_has_what_is_new() -> None:
    """And nothing of what stayed."""
    fix, replaced = (generated.encoded(change, CODE, SMALL) for change in ("code-fix", "picture-replaced"))
    assert (fix.new_assets, fix.bar) == (0, 1024) and fix.stream < 300
    changed = gui.CHANGES["picture-replaced"](gui.application(CODE, SMALL))
    new = next(each for each in changed.assets if each.name == "picture")
    assert replaced.new_assets == len(lzma.compress(new.data(), preset=9 | lzma.PRESET_EXTREME))
    assert replaced.bar == replaced.new_assets + 1024
    assert replaced.new_assets // 2 < replaced.stream < 2 * replaced.new_assets
    limits.check({"generated_of_bar": max(made.stream / made.bar for made in (fix, replaced))})
    made = replaced
    told = generated.line(made, (made.stream * 2, "bsdiff4")).strip("|\n ").split(" | ")
    assert told[0] == "picture-replaced" and told[6:9] == [f"{made.stream * 2:,}", "bsdiff4", "0.500"]


@pytest.mark.parametrize("size", [500_000, 4 << 20, 16 << 20])
def test_sizes_are_those_asked_for_and_all_kinds_are_there(size: int) -> None:
    some = assets.some(size, 1)
    assert 0.9 * size < sum(each.size for each in some) <= size
    assert {each.kind for each in some} == {"photo", "gradient", "icon", "letter", "sound"}
    assert len({each.name for each in some}) == len(some)
    assert assets.some(size, 1) == some != assets.some(size, 2)


def test_a_copy_that_is_sure_is_kept() -> None:
    """Another one is cheaper for a thousand bytes and then no more, in the midst of what comes as predicted: with the
    first one forgotten meanwhile the stream has 1.067 of the bar; with 4 MB outside it had 1.168."""
    made = generated.encoded("picture-replaced", CODE, 700_000)
    assert made.stream < 1.05 * made.bar
