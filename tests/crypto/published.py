"""Readers for published test vectors: NIST CAVP files of the `cryptography_vectors` package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cryptography_vectors

FOLDER = Path(cryptography_vectors.__file__).parent


def records(name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(section, fields) of each group of "name = value" lines of a CAVP file, field names in upper case."""
    section = ""
    fields: dict[str, str] = {}
    for line in [*(FOLDER / name).read_text().splitlines(), ""]:
        key, equals, value = (part.strip() for part in line.partition("="))
        if line.startswith("[") or not line.strip():
            if fields:
                yield section, fields
            fields = {}
            section = line.strip("[] ") if line.startswith("[") else section
        elif equals and not line.startswith("#"):
            fields[key.upper()] = value


def sections(name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The same, without the groups that hold a single value, as "[L = 32]" does."""
    return ((section, fields) for section, fields in records(name) if len(fields) > 1)
