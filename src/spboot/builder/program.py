"""Compiles the sources of one program, with numbers in the place of its sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spboot.builder.compiler import Toolchain
from spboot.builder.texts import Texts
from spboot.formats.spec import data_path

_WORDS: Final = "text.h"
"""Who does not include it, be it through others, has no words to number."""
_INCLUDE: Final = re.compile(r'^#include "(.+)"', re.MULTILINE)
_TABLE: Final = "generated/core/spb_texts.h"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One source (relative to firmware/, or absolute), the name of its object without suffix, its include folders."""

    source: str
    name: str
    includes: tuple[str, ...]


def compile_units(tools: Toolchain, units: Sequence[Unit], texts: Texts, work: Path) -> list[str]:
    """Compile *units* into folder *work*, which holds the generated headers; *texts* becomes all the program says.

    Returns the names of the objects.  Raises BuildError."""
    firmware, table = data_path("firmware"), work / _TABLE
    table.write_text(texts.header(), encoding="utf-8", newline="\n")  # for sources that include it, until it is known
    speaking = set()
    for unit in units:
        if not _may_speak(unit, firmware):
            continue
        text = tools.preprocess(unit.source, unit.includes, firmware)
        numbered = texts.number(text)
        if numbered != text:
            speaking.add(unit)
            (work / f"{unit.name}.i").write_text(numbered, encoding="utf-8", newline="\n")
    table.write_text(texts.header(), encoding="utf-8", newline="\n")
    for unit in units:
        source, folder = (f"{unit.name}.i", work) if unit in speaking else (unit.source, firmware)
        tools.compile_file(source, (work / f"{unit.name}.o").resolve(), unit.includes, folder)
    return [f"{unit.name}.o" for unit in units]


def _may_speak(unit: Unit, firmware: Path) -> bool:
    """Whether the source includes `text.h`: spares the others a run of the preprocessor."""
    seen: set[str] = set()
    waiting = [firmware / unit.source]
    while waiting:
        names = set(_INCLUDE.findall(waiting.pop().read_text(encoding="utf-8"))) - seen
        seen |= names
        for name in names:
            found = (firmware / folder / name for folder in unit.includes)
            waiting += [path for path in found if path.is_file()][:1]
    return _WORDS in seen
