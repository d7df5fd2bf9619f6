"""The manifest at the head of every update: bytes <-> value.  Reads no files, knows no keys.

Source: [manifest] and [extension] of spec/spboot.toml.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Final

from spboot.errors import FormatError
from spboot.formats.spec import record, spec

_RECORD = record("manifest")
_EXTENSION = record("extension")
_SPEC = spec()["manifest"]
_CHUNK = spec()["chunk"]

MANIFEST_SIZE: Final[int] = _RECORD.size
EXTENSION_SIZE: Final[int] = _EXTENSION.size
KIND_IMAGE: Final[int] = _SPEC["kind_image"]
KIND_PATCH: Final[int] = _SPEC["kind_patch"]
KIND_KEYS: Final[int] = _SPEC["kind_keys"]
LATER_KINDS: Final[dict[int, str]] = {_SPEC["kind_bootloader"]: "a new bootloader"}
"""Kinds that a later version may send, which are refused by their names."""
TABLE_SIZE: Final[int] = record("keys").field("table").size
"""Bytes of what an update of KIND_KEYS brings."""
_KIND_MASK: Final[int] = _SPEC["kind_mask"]
_KIND_EXTERNAL: Final[int] = _SPEC["kind_external"]
_KIND_TRIAL: Final[int] = _SPEC["kind_trial"]
_LEAF_LOG2: Final[int] = spec()["extension"]["leaf_log2"]
SIGNATURE_COUNT: Final[int] = _SPEC["signature_count"]
IMAGE_MIN: Final = 8  # initial stack pointer and reset vector
BASE_HASH_SIZE: Final = 8
ID_SIZE: Final = 4

assert (MANIFEST_SIZE, IMAGE_MIN) == (76, 8)


_NEWER: Final = "not supported by this version of spboot: use a newer one"


def _other(version: int) -> str:
    if version > spec()["format"]:
        return "use a newer spboot"
    return (
        "make the update again with this one, or, for devices with an older bootloader, "
        "use the spboot that made the file"
    )


def name_id(name: str) -> int:
    """The number by which the manifest names a product or a board."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:ID_SIZE], "little")


def external_hash(data: bytes) -> bytes:
    """What a manifest says of the bytes of an image in external flash: a hash over hashes, so that a device can check
    a part of them.

    >>> external_hash(b"").hex()[:8]
    'e3b0c442'
    """
    whole, leaf = hashlib.sha256(), 1 << _LEAF_LOG2
    for start in range(0, len(data), leaf):
        whole.update(hashlib.sha256(data[start : start + leaf]).digest())
    return whole.digest()


def base_hash(image_hash: bytes, external: Extension | None) -> bytes:
    """What the manifest of a patch says of OLD, whose hashes these are."""
    if external is None:
        return image_hash[:BASE_HASH_SIZE]
    return image_hash[: BASE_HASH_SIZE // 2] + external.hash[: BASE_HASH_SIZE // 2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """Of an image on a board whose slots have two parts: its bytes in external flash."""

    size: int
    hash: bytes

    @classmethod
    def of(cls, data: bytes) -> Extension:
        """Of these bytes."""
        return cls(size=len(data), hash=external_hash(data))

    @classmethod
    def parse(cls, data: bytes) -> Extension:
        """Raises FormatError."""
        values = _EXTENSION.unpack(data)
        if values["leaf_log2"] != _LEAF_LOG2 or any(values["zero"]):
            raise FormatError(f"manifest: external flash is hashed in another way, which is {_NEWER}")
        return cls(size=values["external_size"], hash=values["external_hash"])

    def pack(self) -> bytes:
        """The 40 bytes on the wire."""
        return _EXTENSION.pack(
            external_size=self.size,
            leaf_log2=_LEAF_LOG2,
            zero=bytes(_EXTENSION.field("zero").size),
            external_hash=self.hash,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One update, described.  Sizes in bytes, versions in 8.16.8 bits; *product* and *target* are name_id().

    A value that exists is valid: building one raises FormatError when it is not."""

    kind: int
    product: int
    target: int
    version: int
    image_size: int
    payload_size: int
    base_version: int
    base_hash: bytes
    salt: bytes
    image_hash: bytes
    signature_count: int = SIGNATURE_COUNT
    key_index: int = 0
    trailer_size: int = 0
    trial: bool = False
    """NEW is on trial after its installation, where a device has room for the image before it."""
    external: Extension | None = None
    """Of a board whose slots have two parts: *image_size* and *image_hash* are those of the first one."""

    def __post_init__(self) -> None:
        self._check_supported()
        if not self.version:
            raise FormatError("manifest: version is 0, which means no version, expected 1 or more")
        if self.kind != KIND_PATCH and (self.base_version or any(self.base_hash)):
            raise FormatError("manifest: what is no patch names a base, expected zeros there")
        if self.kind == KIND_KEYS and (self.image_size, self.payload_size) != (TABLE_SIZE, TABLE_SIZE):
            raise FormatError(
                f"manifest: a key of {self.image_size} bytes in {self.payload_size}, expected {TABLE_SIZE} in as many"
            )
        if self.kind == KIND_PATCH and self.version <= self.base_version:
            raise FormatError(f"manifest: version {self.version:#x} is not above base version {self.base_version:#x}")
        if self.image_size < IMAGE_MIN:
            raise FormatError(f"manifest: image of {self.image_size} bytes, expected at least {IMAGE_MIN}")
        last = self.payload_size % (_CHUNK["data_size"] + _CHUNK["hash_size"])
        if not 1 <= last <= _CHUNK["data_size"]:
            raise FormatError(
                f"manifest: payload of {self.payload_size} bytes would end in a chunk of {last}, "
                f"expected 1 .. {_CHUNK['data_size']}"
            )

    def _check_supported(self) -> None:
        """Refuse values that the format has room for and that this version does not support."""
        if self.kind in LATER_KINDS:
            raise FormatError(f"manifest: kind is {self.kind} ({LATER_KINDS[self.kind]}), {_NEWER}")
        if self.kind not in (KIND_IMAGE, KIND_PATCH, KIND_KEYS) or (
            self.kind == KIND_KEYS and (self.trial or self.external)
        ):
            raise FormatError(
                f"manifest: kind is {self._kind_byte}, expected {KIND_IMAGE} (image), "
                f"{KIND_PATCH} (patch) or {KIND_KEYS} (a key)"
            )
        for name, known in (("signature_count", SIGNATURE_COUNT), ("key_index", 0), ("trailer_size", 0)):
            found = getattr(self, name)
            if found != known:
                raise FormatError(
                    f"manifest: {name.replace('_', ' ')} is {found}, expected {known}: anything else is {_NEWER}"
                )

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Read a manifest from the head of *data*; refuse anything unknown.  Raises FormatError."""
        values = _RECORD.unpack(data)
        magic, version = values.pop("magic"), values.pop("format")
        if magic != _SPEC["magic"]:
            raise FormatError(f"manifest: magic is {magic:#06x}, expected {_SPEC['magic']:#06x}: not an update file")
        if version != spec()["format"]:
            raise FormatError(
                f"manifest: format {version}, this spboot knows format {spec()['format']}: {_other(version)}"
            )
        kind = values.pop("kind")
        external = Extension.parse(data[MANIFEST_SIZE:]) if kind & _KIND_EXTERNAL else None
        return cls(**values, kind=kind & _KIND_MASK, trial=bool(kind & _KIND_TRIAL), external=external)

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return MANIFEST_SIZE + (EXTENSION_SIZE if self.external else 0)

    @property
    def _kind_byte(self) -> int:
        return self.kind | _KIND_TRIAL * self.trial | _KIND_EXTERNAL * (self.external is not None)

    def pack(self) -> bytes:
        """The bytes on the wire, 76 or, with an extension, 116."""
        values: dict[str, Any] = asdict(self) | {"kind": self._kind_byte}
        del values["trial"], values["external"]
        head = _RECORD.pack(magic=_SPEC["magic"], format=spec()["format"], **values)
        return head + (self.external.pack() if self.external else b"")
