"""docs/changes.md names the files that a change needs: tried on changes that are in the repository.

Whoever made them left their names in the files that had to be touched.  All files with the name of such an example are
looked for; each has to be in the list of its kind of change, and what the list calls needed has to be among them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "changes.md").read_text(encoding="utf-8")
WRITTEN_AS = {
    "inspect": r'"inspect"|spboot inspect\b|cli\.inspect\b',
    "rcc_g4": r"rcc_?g4",
    "usart_v2": r"usart_?v2",
    "verify": r'"verify"|spboot verify\b|cli\.verify\b',
}
"""Names that are words of another meaning, too, or are spelled in two ways."""
NOT_LOOKED_AT = ("docs/changes.md", "CHANGELOG.md", "tests/host/test_changes.py", "src/spboot/chips/parts/*")
DEPENDENCY = "A new dependency in Python"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list: *paths* are patterns; *needed* is "always", "one of them", "if ..." or "by `command`"."""

    paths: tuple[str, ...]
    needed: str


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of change."""

    name: str
    examples: tuple[str, ...]
    rows: tuple[Row, ...]


def changes() -> list[Change]:
    """All of the page."""
    found = []
    for section in PAGE.split("\n## ")[1:]:
        name, text = section.split("\n", 1)
        tried = re.search(r"^Tried on: ([^.]+)\.", text, re.MULTILINE)
        assert tried, f"{name}: tried on nothing"
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
        rows = tuple(Row(tuple(re.findall(r"`([^`]+)`", cell[0])), cell[2]) for cell in cells[2:])
        found.append(Change(name, tuple(re.findall(r"`([^`]+)`", tried[1])), rows))
    return found


CHANGES = changes()


@cache
def texts() -> dict[str, str]:
    """Path -> text of every file of the repository, but for what is not looked at."""
    told = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    found = {}
    for path in told.splitlines():
        if (ROOT / path).is_file() and not any(fnmatchcase(path, pattern) for pattern in NOT_LOOKED_AT):
            found[path] = (ROOT / path).read_text(encoding="utf-8", errors="replace")
    return found


def touched(change: Change, example: str) -> set[str]:
    """Files that have the name of *example*.  Decisions and locks are pages of their day, but for a dependency."""
    named = re.compile(WRITTEN_AS.get(example, re.escape(example)), re.IGNORECASE)
    own = ("docs/decisions/", "requirements") if change.name != DEPENDENCY else ()
    found = {path for path, text in texts().items() if named.search(text) and not path.startswith(own or ("\0",))}
    return found | {path for path in texts() if path.startswith(("firmware/", "src/")) and Path(path).stem == example}


def fits(path: str, row: Row, example: str) -> bool:
    """Whether *path* is of *row*."""
    return any(fnmatchcase(path, pattern.replace("NAME", example)) for pattern in row.paths)


def wrong(change: Change, example: str) -> list[str]:
    """What the page says otherwise than the repository."""
    files = touched(change, example)
    found = [f"{path} is not on the page" for path in files if not any(fits(path, row, example) for row in change.rows)]
    for row in change.rows:
        parts = (row,) if row.needed.startswith("one") else tuple(Row((path,), row.needed) for path in row.paths)
        for part in parts:
            if not row.needed.startswith("if ") and not any(fits(path, part, example) for path in files):
                found.append(f"{' or '.join(part.paths)} is needed, and {example} is not in it")
    return sorted(found)


needs_git = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no git repository to look for files in")


@needs_git
@pytest.mark.parametrize(
    ("change", "example"),
    [pytest.param(change, example, id=example) for change in CHANGES for example in change.examples],
)
def test_the_page_names_the_files(change: Change, example: str) -> None:
    assert wrong(change, example) == []


def test_ten_kinds_of_change() -> None:
    assert len(CHANGES) == 10
    for change in CHANGES:
        assert len(change.examples) >= 2 and len(change.rows) >= 3, change.name
        assert all(re.fullmatch(r"always|one of them|if .+|by `make [a-z]+`", row.needed) for row in change.rows)


@needs_git
def test_a_page_that_is_wrong_is_seen() -> None:
    """A row less, and a row of a file that is not needed."""
    change = CHANGES[0]
    less = Change(change.name, change.examples, change.rows[1:])
    assert wrong(less, "CANNOT_START") == ["spec/spboot.toml is not on the page"]
    more = Change(change.name, change.examples, (*change.rows, Row(("budgets.toml",), "always")))
    assert wrong(more, "CANNOT_START") == ["budgets.toml is needed, and CANNOT_START is not in it"]
