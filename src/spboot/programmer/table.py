"""The programmers that we know, as `programmers.toml` has them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Final

from spboot.chips import Chip

_PATH: Final = Path(__file__).with_name("programmers.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Programmer:
    """A row of `programmers.toml`, which says what each of them means.

    >>> [programmer.name for programmer in table()]
    ['cubeprogrammer', 'pyocd', 'openocd', 'st-flash']
    """

    name: str
    title: str
    executable: str
    install: str
    kinds: tuple[str, ...]
    arguments: tuple[tuple[str, ...], ...]
    erase: tuple[tuple[str, ...], ...]
    no_probe: tuple[str, ...]
    places: dict[str, list[str]] = field(default_factory=dict)
    format: dict[str, str] = field(default_factory=dict)
    targets: dict[str, str] = field(default_factory=dict)
    second_bank: dict[str, str] = field(default_factory=dict)
    has_target: tuple[str, ...] = ()
    lists_targets: tuple[str, ...] = ()
    lacks: str = ""
    tcl: bool = False
    outside: bool = False

    def line(self, values: dict[str, str]) -> list[str]:
        """The words that program a file, with *values* by placeholder; a group with one that has none is left out."""
        return _filled(self.arguments, values)

    def erase_line(self, values: dict[str, str]) -> list[str]:
        """The words that erase the whole flash, as `line`."""
        return _filled(self.erase, values)

    def target(self, chip: Chip) -> str | None:
        """What it calls *chip* by its family: "" where it finds out itself, None where it has no name for it."""
        if not self.targets:
            return ""
        return self._second(chip) or self.targets.get(chip.family)

    def second(self, chip: Chip) -> str:
        """The number of the second bank of *chip*, where it is a bank of its own to it; else ""."""
        return "1" if self._second(chip) else ""

    def _second(self, chip: Chip) -> str | None:
        two = any(memory.kind == "flash" and memory.bank == 2 for memory in chip.memories)
        return self.second_bank.get(chip.family) if two else None


def _filled(groups: tuple[tuple[str, ...], ...], values: dict[str, str]) -> list[str]:
    return [
        word.format(**values)
        for group in groups
        if all(value or name == "at" or f"{{{name}}}" not in "".join(group) for name, value in values.items())
        for word in group
    ]


@cache
def table() -> tuple[Programmer, ...]:
    """All of them, the one that is tried first first."""
    rows = tomllib.loads(_PATH.read_text(encoding="utf-8"))
    return tuple(_row(name, row) for name, row in rows.items())


def _row(name: str, row: dict[str, object]) -> Programmer:
    known = {each.name for each in fields(Programmer)}
    assert row.keys() <= known, f"{_PATH}: {name}: unknown {row.keys() - known}"
    values = {key: _frozen(value) for key, value in row.items()}
    return Programmer(name=name, **values)  # type: ignore[arg-type]


def _frozen(value: object) -> object:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
