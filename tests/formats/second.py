"""A second implementation of update files, after docs/format.md alone: it shares no line with `spboot`, so that a
mistake of one is not in both.  Signatures and AES are those of `cryptography`."""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass, replace
from typing import Final, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

IMAGE, PATCH, KEY, EXTERNAL, TRIAL = 0, 1, 2, 0x40, 0x80
P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_DATA, _HASH, _LEAF = 512, 16, 65536
_MANIFEST: Final = struct.Struct("<HBBBBHIIIIII8s4s32s")
_EXTENSION: Final = struct.Struct("<IB3s32s")
Point = tuple[int, int]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def name_id(name: str) -> int:
    return int.from_bytes(sha256(name.encode("ascii"))[:4], "little")


def version(text: str) -> int:
    major, minor, patch = map(int, text.split("."))
    return major << 24 | minor << 8 | patch


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a product has: private number, AES key."""

    product: str
    private: int
    encryption: bytes

    @property
    def public(self) -> Point:
        numbers = ec.derive_private_key(self.private, ec.SECP256R1()).public_key().public_numbers()
        return numbers.x, numbers.y

    def sign(self, signed: bytes) -> bytes:
        """r and w, by RFC 6979."""
        algorithm = ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True)
        key = ec.derive_private_key(self.private, ec.SECP256R1())
        r, s = decode_dss_signature(key.sign(sha256(signed), algorithm))
        return r.to_bytes(32, "big") + (2**256 * pow(s, -1, N) % N).to_bytes(32, "big")

    def salt(self, stream: bytes) -> bytes:
        return hmac.digest(sha256(b"spboot salt" + self.encryption), stream, "sha256")[:4]

    def ciphertext(self, manifest: bytes, stream: bytes) -> bytes:
        counter = sha256(manifest)[:12] + bytes(4)
        return Cipher(algorithms.AES(self.encryption), modes.CTR(counter)).encryptor().update(stream)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Its fields, in their order; *rest*: bytes for external flash."""

    magic: int = 0x5053
    format: int = 3
    kind: int
    signature_count: int = 1
    key_index: int = 0
    trailer_size: int = 0
    product: int
    target: int
    version: int
    image_size: int
    payload_size: int
    base_version: int = 0
    base_hash: bytes = bytes(8)
    salt: bytes = bytes(4)
    image_hash: bytes
    rest: bytes | None = None

    def pack(self) -> bytes:
        values = (getattr(self, name) for name in self.__slots__ if name != "rest")
        head = _MANIFEST.pack(*values)
        if self.rest is None:
            return head
        return head + _EXTENSION.pack(len(self.rest), 16, bytes(3), external_hash(self.rest))


def external_hash(rest: bytes) -> bytes:
    return sha256(b"".join(sha256(rest[at : at + _LEAF]) for at in range(0, len(rest), _LEAF)))


def chain(ciphertext: bytes) -> tuple[bytes, bytes]:
    """The payload, and the hash of its first chunk."""
    payload = following = b""
    for start in range((len(ciphertext) - 1) // _DATA * _DATA, -1, -_DATA):
        chunk = ciphertext[start : start + _DATA] + following
        payload, following = chunk + payload, sha256(chunk)[:_HASH]
    return payload, following


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An update file."""

    manifest: Manifest
    first: bytes
    signature: bytes
    payload: bytes

    @classmethod
    def of(cls, secrets: Secrets, manifest: Manifest, data: bytes, *, sealed: bool = True) -> Self:
        """*manifest* with *data*, which is encrypted where it is to be *sealed*."""
        salt = secrets.salt(data) if sealed else bytes(4)
        manifest = replace(manifest, payload_size=len(chain(data)[0]), salt=salt)
        payload, first = chain(secrets.ciphertext(manifest.pack(), data) if sealed else data)
        signature = secrets.sign(manifest.pack() + first)
        return cls(manifest=manifest, first=first, signature=signature, payload=payload)

    @property
    def signed(self) -> bytes:
        return self.manifest.pack() + self.first

    @property
    def header(self) -> bytes:
        """In flash, before the image."""
        return self.signed + self.signature

    def pack(self) -> bytes:
        return self.manifest.pack() + self.signature + self.payload


def comb(public: Point) -> bytes:
    """The table of a public key."""
    powers = [public]
    for _ in range(3):
        point = powers[-1]
        for _ in range(64):
            point = _added(point, point)
        powers.append(point)
    table = b""
    for entry in range(8):
        total = powers[3]
        for j in range(3):
            x, y = powers[j]
            total = _added(total, (x, y if entry >> j & 1 else P - y))
        table += b"".join((2**256 * value % P).to_bytes(32, "little") for value in total)
    return table


def _added(one: Point, two: Point) -> Point:
    """The sum of two points, of which it is known that neither it nor they are the neutral one."""
    if one == two:
        slope = 3 * (one[0] * one[0] - 1) * pow(2 * one[1], -1, P)
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, P)
    x = (slope * slope - one[0] - two[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P
