"""Releases as one HTML page that needs nothing from elsewhere: sizes over versions, the slot's fill, files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import quote

from spboot.boards import Board
from spboot.boards.drawing import document, text
from spboot.errors import BuildError
from spboot.image import Image
from spboot.releases import DOSSIER, Item, Release

_WIDTH: Final = 760
_LEFT: Final = 96
_BAR: Final = 460
_STEP: Final = 44
_COLOURS: Final = {"image": "#457b9d", "patch": "#2a9d8f", "fill": "#e9c46a", "room": "#e8e8e8"}
_STYLE: Final = (
    "body{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25em .6em;border-bottom:1px solid #ddd}"
    "td.n{text-align:right}code{font-size:.8em;overflow-wrap:anywhere}svg{max-width:100%;height:auto}"
)


def html(releases: Sequence[Release], board: Board, folder: Path) -> str:
    """The page of *releases*, lowest version first, all of one product on *board*; links start from *folder*.

    Raises BuildError: there is none; AuthenticationError: a file was changed; FormatError."""
    if not releases:
        raise BuildError("there is no release: keep one with `spboot postbuild --release`")
    fills = [_image_size(release, board) for release in releases]
    name = f"{releases[-1].name} for {board.name}"
    body = [
        f"<h1>{escape(name)}</h1>",
        f"<p>Product {escape(releases[-1].product)}. Newest release: {releases[-1].version}.</p>",
        "<h2>Sizes</h2>",
        _sizes(releases),
        "<h2>Fill of the slot</h2>",
        _slot(releases, fills, board),
        "<h2>Releases</h2>",
    ]
    for release, fill in zip(reversed(releases), reversed(fills), strict=True):
        body += _release(release, fill, board, folder)
    head = f'<meta charset="utf-8"><title>{escape(name)}</title><style>{_STYLE}</style>'
    lines = ["<!doctype html>", '<html lang="en">', f"<head>{head}</head>", "<body>", *body, "</body>", "</html>"]
    return "\n".join(lines) + "\n"


def _image_size(release: Release, board: Board) -> int:
    """Bytes of the application in flash."""
    return Image.load(release.path(release.application), board, release.version).size


def _sizes(releases: Sequence[Release]) -> str:
    """Bars of the full image, and of the patch from the version before, by one scale."""
    most = max(item.size for release in releases for item in (release.image, *release.patches))
    body = []
    for number, release in enumerate(releases):
        y = 12 + number * _STEP
        body.append(text(8, y + 13, str(release.version), 'font-weight="bold"'))
        body += _bar(y, 16, release.image.size / most, "image", f"{release.image.size:,} bytes")
        if release.patches:
            newest = max(release.patches, key=_base)
            words = f"{newest.size:,} bytes from {newest.base}"
            body += _bar(y + 18, 12, newest.size / most, "patch", words)
    y = 12 + len(releases) * _STEP
    body.append(text(8, y + 10, "Blue: full image. Green: patch from the newest version before."))
    return document(_WIDTH, y + 20, body)


def _base(item: Item) -> int:
    return item.base.pack() if item.base else 0


def _slot(releases: Sequence[Release], fills: Sequence[int], board: Board) -> str:
    """Of each version how much of the slot it takes."""
    room = board.whole_capacity
    body = []
    for number, (release, fill) in enumerate(zip(releases, fills, strict=True)):
        y = 12 + number * 24
        body.append(text(8, y + 13, str(release.version), 'font-weight="bold"'))
        body += _bar(y, 16, 1.0, "room", "")
        body += _bar(y, 16, fill / room, "fill", "")
        body.append(text(_LEFT + _BAR + 8, y + 13, f"{fill / room:.1%}"))
    y = 12 + len(releases) * 24
    body.append(text(8, y + 10, f"The slot takes applications of {room:,} bytes."))
    return document(_WIDTH, y + 20, body)


def _bar(y: int, height: int, part: float, colour: str, words: str) -> list[str]:
    width = max(1, round(part * _BAR))
    return [
        f'<rect x="{_LEFT}" y="{y}" width="{width}" height="{height}" fill="{_COLOURS[colour]}"/>',
        text(_LEFT + width + 8, y + height - 3, words),
    ]


def _release(release: Release, fill: int, board: Board, folder: Path) -> Iterator[str]:
    room, marks = board.whole_capacity, []
    if release.git:
        marks.append(f"git {escape(release.git)}")
    if release.development:
        marks.append("<strong>development keys: not for devices in the field</strong>")
    marks.append(f"{fill:,} of {room:,} bytes of the slot, {fill / room:.1%}")
    yield f"<h3>{release.version}</h3><p>{', '.join(marks)}.</p>"
    yield "<table><tr><th>file</th><th>bytes</th><th>SHA-256</th></tr>"
    for item in release.items:
        link = escape(item.file)
        if item.kind == "factory":
            link += " (holds keys: for production alone)"
        else:
            link = f'<a href="{_link(release, item.file, folder)}">{link}</a>'
        yield f'<tr><td>{link}</td><td class="n">{item.size:,}</td><td><code>{item.sha256}</code></td></tr>'
    yield "</table>"
    if (release.folder / f"{DOSSIER}.md").is_file():
        yield f'<p><a href="{_link(release, f"{DOSSIER}.md", folder)}">Dossier</a></p>'


def _link(release: Release, file: str, folder: Path) -> str:
    """Relative where the release is below *folder*, so that the page moves with it."""
    path = (release.folder / file).absolute()
    place = folder.absolute()
    return escape(quote(path.relative_to(place).as_posix()) if path.is_relative_to(place) else path.as_uri())
