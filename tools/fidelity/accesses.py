"""Which registers were accessed by whom, as measured (`measure`) and kept in accesses.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("accesses.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accesses:
    """*bootloaders*: IP version -> register -> boards whose bootloader accesses it.  *tests*: IP version -> registers
    that the tests of the twin access.  *boards*: those that were measured."""

    boards: tuple[str, ...]
    bootloaders: dict[str, dict[str, list[str]]]
    tests: dict[str, list[str]]


def load() -> Accesses:
    """What accesses.json holds."""
    found = json.loads(FILE.read_text(encoding="ascii"))
    return Accesses(boards=tuple(found["boards"]), bootloaders=found["bootloaders"], tests=found["tests"])


def save(accesses: Accesses) -> None:
    """Write accesses.json, a register a line."""
    table = {"boards": accesses.boards, "bootloaders": accesses.bootloaders, "tests": accesses.tests}
    text = json.dumps(table, separators=(",", ":"), sort_keys=True)
    FILE.write_text(text.replace("],", "],\n").replace("},", "},\n") + "\n", encoding="ascii")
