"""spec/spboot.toml as Python values: records, and the numbers around them, which are typed nowhere else."""

from __future__ import annotations

import struct
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from spboot.errors import FormatError

_CODES = {"u8": "B", "u16": "H", "u32": "I"}


def data_path(name: str) -> Path:
    """Folder *name* ("spec", "firmware") of the checkout, or of the installed package."""
    checkout = Path(__file__).resolve().parents[3] / name
    if checkout.is_dir():
        return checkout
    return Path(str(resources.files("spboot"))) / "_data" / name


@cache
def spec() -> dict[str, Any]:
    """The whole of spec/spboot.toml."""
    with (data_path("spec") / "spboot.toml").open("rb") as file:
        return tomllib.load(file)


@cache
def patch_models() -> dict[str, Any]:
    """spec/patch-models.toml: `states`, and under `models` a digit for each adaptive bit, by group."""
    with (data_path("spec") / "patch-models.toml").open("rb") as file:
        return tomllib.load(file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a record.  *offset* and *size* in bytes."""

    name: str
    type: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A fixed-size little-endian record."""

    name: str
    size: int
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """The field called *name*."""
        return next(f for f in self.fields if f.name == name)

    @property
    def _struct(self) -> struct.Struct:
        return struct.Struct("<" + "".join(_CODES.get(f.type) or f"{f.size}s" for f in self.fields))

    def pack(self, **values: int | bytes) -> bytes:
        """The record's bytes; every field must be given, bytes fields with exactly their size."""
        for f in self.fields:
            value = values[f.name]
            if isinstance(value, bytes) and len(value) != f.size:
                raise FormatError(f"{self.name}.{f.name} is {len(value)} bytes, expected {f.size}")
        return self._struct.pack(*(values[f.name] for f in self.fields))

    def unpack(self, data: bytes) -> dict[str, Any]:
        """Field values from the head of *data*.  Raises FormatError when it is too short."""
        if len(data) < self.size:
            raise FormatError(f"{self.name} is {len(data)} bytes, expected {self.size}")
        return dict(zip((f.name for f in self.fields), self._struct.unpack(data[: self.size]), strict=True))


def _type_size(kind: str) -> int:
    if kind.startswith("bytes:"):
        return int(kind.removeprefix("bytes:"))
    return struct.calcsize(_CODES[kind])


@cache
def record(table: str, prefix: str = "") -> Record:
    """The record described by `[table]`, or by its keys that start with *prefix* (as "mark_fields")."""
    section = spec()[table]
    fields, offset = [], 0
    for name, kind in section[f"{prefix}fields"]:
        fields.append(Field(name=name, type=kind, offset=offset, size=_type_size(kind)))
        offset += fields[-1].size
    size = section[f"{prefix}size"]
    if offset != size:
        raise FormatError(f"spec: [{table}] {prefix}fields add up to {offset} bytes, {prefix}size says {size}")
    return Record(name=f"{table}{'.' + prefix.rstrip('_') if prefix else ''}", size=size, fields=tuple(fields))
