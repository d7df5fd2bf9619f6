"""Calls the crypto functions of a compiled image as the firmware does."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from spboot.errors import FormatError
from spboot.formats.comb import comb_table
from spboot.twin.measure.callee import Callee, CallResult, Core

from .vectors import Vector, on_the_wire

GOOD = 0x5AC3A53C
BAD = 0x2B96D469
WORK_SIZE = 352  # struct spb_p256_work
Verdict = Literal["good", "bad", "key refused", "neither"]


@cache
def prepared(public: bytes) -> bytes | None:
    """The comb table of a raw public key, or None where the host refuses the key."""
    try:
        return comb_table(int.from_bytes(public[:32], "big"), int.from_bytes(public[32:], "big"))
    except FormatError:
        return None


class Crypto:
    """The functions of one image."""

    def __init__(self, elf: Path, core: Core, *, counting: bool = False) -> None:
        self.callee = Callee(elf, core, counting=counting)

    def call_verify(self, table: bytes, digest: bytes, signature: bytes) -> CallResult:
        """One verification, with what it cost.  *signature*: as on the wire."""
        self.callee.release()
        parts = (table, digest, signature, WORK_SIZE)
        return self.callee.call("spb_p256_verify", *(self.callee.allocate(part) for part in parts))

    def verify(self, public: bytes, digest: bytes, signature: bytes) -> Verdict:
        """What host and firmware together say of r then s."""
        table = prepared(public)
        if table is None:
            return "key refused"
        r0 = self.call_verify(table, digest, on_the_wire(signature)).r0
        return "good" if r0 == GOOD else "bad" if r0 == BAD else "neither"

    def sha256(self, pieces: Iterable[bytes]) -> bytes:
        """The hash of *pieces*, an update for each."""
        self.callee.release()
        state, result = self.callee.allocate(112), self.callee.allocate(32)
        scratch = self.callee.allocate(0)
        self.callee.call("spb_sha256_init", state)
        for piece in pieces:
            self.callee.write(scratch, piece)
            self.callee.call("spb_sha256_update", state, scratch, len(piece))
        self.callee.call("spb_sha256_final", state, result)
        return self.callee.read(result, 32)

    def ctr(self, key: bytes, nonce: bytes, block: int, data: bytes, *, misalign: int = 0) -> bytes:
        """*data* with the key stream from block number *block* on."""
        self.callee.release()
        key_at, nonce_at = self.callee.allocate(key), self.callee.allocate(nonce)
        data_at = self.callee.allocate(bytes(misalign) + data + b"guard") + misalign
        self.callee.call("spb_aes128_ctr", key_at, nonce_at, block, data_at, len(data))
        assert self.callee.read(data_at + len(data), 5) == b"guard"
        return self.callee.read(data_at, len(data))


def wrong(crypto: Crypto, vectors: Iterable[Vector]) -> list[str]:
    """The vectors on which the image and the judge disagree."""
    found = []
    for vector in vectors:
        verdict = crypto.verify(vector.public, vector.hash, vector.signature)
        accepted = {"good": True, "bad": False, "key refused": False}.get(verdict)
        if accepted is not vector.accepted:
            found.append(f"{vector.why}: {verdict}, expected {vector.accepted}; signature {vector.signature.hex()}")
    return found
