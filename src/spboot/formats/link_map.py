"""What a linker's map says of where the bytes of a program came from; of ld.lld and of GNU ld."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from spboot.errors import FormatError

_LLD_HEAD: Final = re.compile(r"\s*VMA\s+LMA\s+Size\s+Align\s+Out\s+In\s+Symbol")
_LLD_ROW: Final = re.compile(r"\s*[0-9a-f]+\s+[0-9a-f]+\s+([0-9a-f]+)\s+\d+ ( *)(\S.*)")
_GNU_HEAD: Final = "Linker script and memory map"
_GNU_INPUT: Final = re.compile(r"^ \S+\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S.*)$", re.MULTILINE)
_GNU_SYMBOL: Final = re.compile(r"^ +0x[0-9a-f]+ +([A-Za-z_]\w*)(?: =.*)?$", re.MULTILINE)
_NO_INPUT: Final = ("<internal>", "linker stubs")
_LOCAL: Final = re.compile(r"\.\d+$|\..*")
"""What link-time optimisation adds to the name of a local symbol."""
_INVENTED: Final = re.compile(r"\$|OUTLINED_FUNCTION_|switch$")
"""How names begin that no source has: marks of code and data, functions and tables that a compiler made of others."""
_SYMBOL: Final = 8
"""Blanks in front of a symbol in a map of ld.lld, fewer in front of an input section; none in front of an output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMap:
    """*inputs*: name of an object, or "library.a(member)", -> bytes of it in the program, of all its sections.

    *symbols*: names of functions and data, as a source has them."""

    inputs: dict[str, int]
    symbols: frozenset[str]


def read(text: str, name: str) -> LinkMap:
    """The map *text*, of a file called *name* in what is said of it.  Raises FormatError."""
    if _LLD_HEAD.match(text):
        inputs, symbols = _lld(text)
    elif _GNU_HEAD in text:
        inputs, symbols = _gnu(text[text.index(_GNU_HEAD) :])
    else:
        raise FormatError(f"{name}: not a map of ld.lld or GNU ld: build the bootloader again")
    return LinkMap(inputs=inputs, symbols=frozenset(_LOCAL.sub("", each) for each in symbols if not _made_up(each)))


def _made_up(symbol: str) -> bool:
    return bool(_INVENTED.match(symbol)) or not re.match(r"[A-Za-z_]", symbol)


def _lld(text: str) -> tuple[dict[str, int], set[str]]:
    inputs: dict[str, int] = {}
    symbols = set()
    for line in text.splitlines():
        row = _LLD_ROW.match(line)
        if row is None or not row[2]:
            continue
        size, indent, words = int(row[1], 16), len(row[2]), row[3]
        if indent < _SYMBOL or ":(" in words:
            _add(inputs, words.split(":(")[0], size) if ":(" in words else None
        elif "=" not in words:
            symbols.add(words)
    return inputs, symbols


def _gnu(text: str) -> tuple[dict[str, int], set[str]]:
    # A long name of a section has a line of its own, in front of its numbers.
    joined = re.sub(r"^( \S+)\n +(0x)", r"\1 \2", text, flags=re.MULTILINE)
    inputs: dict[str, int] = {}
    for size, words in _GNU_INPUT.findall(joined):
        if not re.match(r"[0-9a-f]+$", words):
            _add(inputs, words, int(size, 16))
    return inputs, set(_GNU_SYMBOL.findall(joined))


def _add(inputs: dict[str, int], words: str, size: int) -> None:
    """Of a path the last part: where a tool is installed is no matter of the program."""
    name = re.split(r"[/\\]", words)[-1]
    if size and name not in _NO_INPUT:
        inputs[name] = inputs.get(name, 0) + size
