"""The API page of firmware/include/spboot/spboot.h, from its comments and declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from spboot.formats.spec import spec
from tools.site.commands import escaped
from tools.site.pages import ROOT, Tree

PATH: Final = ROOT / "firmware" / "include" / "spboot" / "spboot.h"
_COMMENT: Final = re.compile(r"/\*(.*?)\*/\n?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A declaration: its names, what the comment before it says, its C text, and whether it is a function."""

    names: tuple[str, ...]
    words: str
    code: str
    function: bool


def intro() -> str:
    """The comment at the head of the header."""
    first, second = _COMMENT.findall(PATH.read_text(encoding="utf-8"))[:2]
    assert "SPDX" in first
    return _words(second)


def items() -> Iterator[Item]:
    """Every declaration, in its order."""
    text = PATH.read_text(encoding="utf-8")
    body = text[text.index('extern "C" {\n#endif') :].removeprefix('extern "C" {\n#endif')
    body = body[: body.rindex("#ifdef __cplusplus")]
    for chunk in re.split(r"\n{2,}", body.strip()):
        comment = _COMMENT.match(chunk)
        code = chunk[comment.end() :] if comment else chunk
        names = tuple(_names(code))
        assert names, f"no name in {code!r}"
        function = code.rstrip().endswith(";") and not code.startswith(("typedef", "#"))
        yield Item(names=names, words=_words(comment[1]) if comment else "", code=code, function=function)


def _names(code: str) -> Iterator[str]:
    yield from re.findall(r"^#define (\w+)", code, re.MULTILINE)
    yield from re.findall(r"^(?:typedef .*)?\} (\w+);", code, re.MULTILINE)
    yield from re.findall(r"^(?!typedef)\w[\w ]*?[ *]+(\w+)\(", code, re.MULTILINE)


def _words(comment: str) -> str:
    text = "\n".join(line.strip().removeprefix("*").strip() for line in comment.splitlines())
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _marked(words: str) -> str:
    """*words* for Markdown, names of C as code."""
    parts = re.split(r"(`[^`]*`|\b(?:SE_|FW_)\w+\*?)", words)
    parts[1::2] = [part if part.startswith("`") else f"`{part}`" for part in parts[1::2]]
    parts[::2] = [escaped(part) for part in parts[::2]]
    return "".join(parts)


def write(tree: Tree) -> None:
    """The page reference/api.md."""
    found = list(items())
    lines = ["# C API: spboot.h\n\n", _marked(intro()), "\n\n"]
    lines.append("When to call what, with an example: [application.md](../docs/application.md).\n")
    for heading, wanted in (("Functions", True), ("Types and constants", False)):
        lines.append(f"\n## {heading}\n")
        for item in found:
            if item.function is wanted:
                lines += _section(item)
    lines.append("\n## Codes\n\n| code | SE_PATCH_StatusCode_... | what it says |\n|---|---|---|\n")
    for code, (name, words) in enumerate(spec()["status"]["codes"]):
        lines.append(f"| {code} | `{name}` | {escaped(words)} |\n")
    lines.append("\nWhat to do about each: [troubleshooting](../docs/troubleshooting.md).\n")
    tree.write("reference/api.md", "".join(lines))


def _section(item: Item) -> Iterator[str]:
    yield f"\n### {', '.join(item.names)}\n\n```c\n{item.code.strip()}\n```\n"
    if item.words:
        yield f"\n{_marked(item.words)}\n"
