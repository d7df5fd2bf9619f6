"""docs/troubleshooting.md explains every sentence that a device says, and quotes the commands as they speak."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from spboot.formats.spec import spec
from tools.site import messages
from tools.site.messages import GAP, PAGE

ROOT = Path(__file__).resolve().parents[2]
TEXT = PAGE.read_text(encoding="utf-8")
DEVICE, COMMANDS = TEXT.split("## What the commands say")
TOLD_TWICE = {"30: no keys: use spboot build --keys"}


def quoted(text: str) -> list[str]:
    """The sentences that rows of tables begin with."""
    return list(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def strings() -> Iterator[str]:
    """Every string of the library and the commands, with GAP for what is put in."""
    for path in (ROOT / "src" / "spboot").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else GAP for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_sentence_is_explained() -> None:
    assert not messages.missing(), "add a row for each: python -m tools.site.messages"


def test_every_code_has_its_name() -> None:
    for code, (name, words) in enumerate(spec()["status"]["codes"]):
        assert words == "not used" or f"| `{code}: {words}` | `{name}`: " in DEVICE


def test_nothing_is_explained_that_nobody_says() -> None:
    codes = {f"{code}: {words}" for code, words in messages.statuses().items()}
    said = codes | {words.strip() for words in messages.console()}
    rows = quoted(DEVICE)
    assert set(rows) <= said
    assert {row for row in rows if rows.count(row) > 1} <= TOLD_TWICE


def test_every_row_says_what_to_do() -> None:
    for row in re.findall(r"^\| `.*", TEXT, re.MULTILINE):
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        assert len(cells) == 3 and all(cells), row


def test_sentences_are_found_in_the_sources() -> None:
    """As many as there are marks; words of parts are in use."""
    sources = "\n".join(messages.sources())
    marks = re.findall(r"\b(?:TEXT|LOG|spb_console_log|spb_console_print)\(\s*[\"A-Z]", sources)
    assert len(marks) == len(messages.SAID.findall(sources)) > 60
    assert all(f'"{words}"' in sources for words in messages.PARTS)


def test_the_commands_say_what_is_quoted() -> None:
    known = list(strings())
    for words in quoted(COMMANDS):
        pattern = re.compile(".*?".join(re.escape(piece) for piece in words.split(GAP)), re.DOTALL)
        assert any(pattern.search(text) for text in known), words
