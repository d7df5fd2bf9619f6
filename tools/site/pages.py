"""The Markdown of the repository as source of the site: the same folders, links to other files lead to pages of these.

On a forge those links open the files themselves, so nothing here changes what is written in the repository."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from spboot.errors import FormatError

ROOT: Final = Path(__file__).resolve().parents[2]
_PATTERNS: Final = ("*.md", "docs/**/*.md", "spec/*.md", "examples/**/*.md")
_PICTURES: Final = (".svg", ".png")
_LINK: Final = re.compile(r"(?<=\]\()([^)\s:]+)(?=\))")
_CODE: Final = re.compile(r"(^```.*?^```$|^ {4}.*?$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
_LANGUAGES: Final = {".py": "python", ".c": "c", ".h": "c", ".toml": "toml", ".ld": "none", ".json": "json"}
DECISIONS: Final = Path("docs/decisions")
_ORPHAN: Final = "---\norphan: true\n---\n\n"
"""Head of a page that is in no table of contents: Sphinx puts the whole of it into every page."""
FILES: Final = "files"
"""Folder of the site for pages that show a file."""


def found() -> list[Path]:
    """Every page of the repository, seen from its root."""
    return sorted({path.relative_to(ROOT) for pattern in _PATTERNS for path in ROOT.glob(pattern)})


class Tree:
    """The source tree of the site in *folder*.  Files that are as before are left alone: Sphinx builds the others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pages = found()
        self._kept: set[Path] = set()
        self._shown: set[Path] = set()

    def write(self, name: str | Path, content: str | bytes) -> None:
        """A page or picture of the site."""
        path, data = self.folder / name, content.encode() if isinstance(content, str) else content
        self._kept.add(path)
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def copy_pages(self) -> None:
        """Every page of the repository.  Raises FormatError for a link to what is not there."""
        for page in self.pages:
            text = (ROOT / page).read_text(encoding="utf-8")
            self.write(page, (_ORPHAN if page.parent == DECISIONS else "") + self._led(page, text))

    def _led(self, page: Path, text: str) -> str:
        """*text* of *page* with links as the site has them."""
        pieces = _CODE.split(text)
        pieces[::2] = [_LINK.sub(lambda link: self._target(page, link[1]), piece) for piece in pieces[::2]]
        return "".join(pieces)

    def names(self) -> list[Path]:
        """What was written so far, seen from the folder."""
        return sorted(path.relative_to(self.folder) for path in self._kept)

    def tidy(self) -> None:
        """Remove what an earlier build left."""
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in self._kept:
                path.unlink()

    def _target(self, page: Path, link: str) -> str:
        """Where *link* of *page* leads to in the site."""
        name, _, anchor = link.partition("#")
        if not name:
            return link
        target = Path(os.path.normpath(page.parent / name))
        if target in self.pages:
            return link
        if not (ROOT / target).exists():
            raise FormatError(f"{page}: a link to {name}, which is not there")
        if target.suffix in _PICTURES:
            self.write(target, (ROOT / target).read_bytes())
            return link
        shown = DECISIONS / "index.md" if target == DECISIONS else self._show(target)
        return os.path.relpath(shown, page.parent) + (f"#{anchor}" if anchor else "")

    def _show(self, target: Path) -> Path:
        """The page that shows the file or folder *target*."""
        page = Path(FILES, target, "index.md") if (ROOT / target).is_dir() else Path(FILES, f"{target}.md")
        if target in self._shown:
            return page
        self._shown.add(target)
        if (ROOT / target).is_dir():
            members = [path.relative_to(ROOT / target) for path in sorted((ROOT / target).rglob("*")) if _ours(path)]
            for member in members:
                self._show(target / member)
            rows = "\n".join(f"- [{member}]({member}.md)" for member in members)
            self.write(page, f"{_ORPHAN}# {target}\n\nA folder of the repository.\n\n{rows}\n")
        else:
            language = _LANGUAGES.get(target.suffix, "none")
            text = (ROOT / target).read_text(encoding="utf-8")
            head = f"{_ORPHAN}# {target}\n\nA file of the repository.\n\n"
            self.write(page, f"{head}`````{{code-block}} {language}\n{text}\n`````\n")
        return page


def _ours(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def title(page: Path) -> str:
    """The first heading of a page of the repository."""
    return next(_headings((ROOT / page).read_text(encoding="utf-8")))


def _headings(text: str) -> Iterator[str]:
    yield from (line.lstrip("# ") for line in text.splitlines() if line.startswith("#"))
