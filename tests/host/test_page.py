"""`spboot page`: one file of HTML that loads nothing, with every version, its sizes and the slot's fill."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from spboot import page
from spboot.errors import BuildError
from spboot.image import Image
from spboot.keys import Keys
from spboot.making import Making, postbuild
from spboot.version import Version

from .conftest import BOARD
from .supply import application, boot_folder, kept
from .test_cli import Run, run  # noqa: F401


class Reader(HTMLParser):
    """Links, and elements that are not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if name in ("href", "src") and value]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_of_three_releases(tmp_path: Path, secrets: Keys) -> None:
    found = kept(tmp_path / "releases", secrets, boot_folder(tmp_path / "boot", secrets))
    (found[-1].folder / "dossier.md").write_text("# dossier")
    text = page.html(found, BOARD, tmp_path)
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    assert "<script" not in text and not re.search(r'(?:href|src)="(?:https?:)?//', text)
    for release in found:
        for item in release.items:
            assert item.sha256 in text and f"{item.size:,}" in text
    listed = [item for release in found for item in release.items if item.kind != "factory"]
    assert len(reader.links) == len(listed) + 1
    assert all((tmp_path / link).is_file() for link in reader.links)
    sizes, slot = (ElementTree.fromstring(each) for each in re.findall(r"<svg.*?</svg>", text, re.DOTALL))
    words = [each.text or "" for each in sizes.iter() if each.tag.endswith("text")]
    assert f"{found[2].image.size:,} bytes" in words
    assert f"{found[2].patches[-1].size:,} bytes from 1.1.0" in words
    fill = len(Image.load(found[0].path(found[0].application), BOARD, "1.0.0").data) / BOARD.image_capacity
    assert f"{fill:.1%}" in [each.text for each in slot.iter()]


def test_bars_are_as_long_as_the_numbers_say(tmp_path: Path, secrets: Keys) -> None:
    found = kept(tmp_path / "releases", secrets, boot_folder(tmp_path / "boot", secrets), 2)
    svg = ElementTree.fromstring(re.findall(r"<svg.*?</svg>", page.html(found, BOARD, tmp_path), re.DOTALL)[0])
    widths = [int(each.get("width", "0")) for each in svg.iter() if each.get("x") == "96" and "rect" in each.tag]
    images = [release.image.size for release in found]
    assert max(widths) == widths[images.index(max(images))]
    assert widths[-1] == max(1, round(found[1].patches[0].size / max(images) * max(widths)))


def test_no_release(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="there is no release"):
        page.html([], BOARD, tmp_path)


def test_the_command(run: Run, secrets: Keys) -> None:  # noqa: F811
    boot = boot_folder(Path("boot"), secrets)
    kept(Path("releases"), secrets, boot, 2)
    code, out, err = run("page", "releases")
    assert (code, out, err) == (0, "releases/releases.html: 2 releases, the newest is 1.1.0\n", "")
    Path("shade.elf").write_bytes(application(0))
    other = Making(
        app=Path("shade.elf"), board=BOARD, keys=secrets, version=Version(1, 0, 0), name="shade", bootloader=boot
    )
    postbuild(other, Path("releases"))
    code, _, err = run("page", "releases")
    assert code == 1 and "there are releases of lamp for NUCLEO-L476RG, shade for NUCLEO-L476RG: choose with" in err
    assert run("page", "releases", "--name", "shade", "-o", "x.html", "-q") == (0, "", "")
    code, _, err = run("page", "nowhere", "-o", "x.html")
    assert code == 1 and "nowhere: there is no release: keep one with `spboot postbuild --release`" in err
    assert run("page")[0] == 2
