"""The front page with the order of all pages, and the page of decisions."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.site.pages import DECISIONS, Tree, title

_ORDER: Final = Path(__file__).with_name("navigation.toml")
_INDEX: Final = Path(__file__).with_name("index.md")


def write(tree: Tree) -> None:
    """index.md and docs/decisions/index.md."""
    parts = tomllib.loads(_ORDER.read_text(encoding="utf-8"))["part"]
    there = {str(path.with_suffix("")) for path in tree.names()}
    named = {page_of(entry) for part in parts for entry in part["pages"]}
    parts[-1]["pages"] += sorted(_own(tree) - named)
    text = _INDEX.read_text(encoding="utf-8")
    for part in parts:
        text += _toctree(part["caption"], (entry for entry in part["pages"] if page_of(entry) in there))
    tree.write("index.md", text)


def page_of(entry: str) -> str:
    """The page of an entry, which is "page" or "Name <page>"."""
    return entry.rpartition("<")[2].rstrip(">")


def write_decisions(tree: Tree) -> None:
    """The list of decisions.  It is their only way in: a hundred more lines beside each page would help nobody."""
    pages = [page for page in tree.pages if page.parent == DECISIONS]
    rows = "".join(f"- [{title(page)}]({page.name})\n" for page in pages)
    head = "# Decisions\n\nWhy it is as it is. A page that no longer holds names the one that took its place.\n\n"
    tree.write(DECISIONS / "index.md", head + rows)


def _own(tree: Tree) -> set[str]:
    """Pages of the repository that are no decisions."""
    return {page.with_suffix("").as_posix() for page in tree.pages if page.parent != DECISIONS}


def _toctree(caption: str, pages: Iterator[str]) -> str:
    listed = "\n".join(pages)
    return f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{listed}\n```\n" if listed else ""
