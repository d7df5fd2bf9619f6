"""Makes spec/update-files.json: `python -m tests.formats.make_vectors`.

Files are those of the second implementation (second.py).  Patch streams are kept as they are in the file, so a better
encoder changes no vector; one that is not there yet is encoded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from spboot import delta
from spboot.boards import Board
from spboot.delta.pair import REST_BASE
from spboot.formats.spec import data_path
from tests import apps
from tests.formats.second import (
    EXTERNAL,
    IMAGE,
    KEY,
    PATCH,
    TRIAL,
    File,
    Manifest,
    N,
    Secrets,
    comb,
    external_hash,
    name_id,
    sha256,
    version,
)

PATH: Final = data_path("spec") / "update-files.json"
ONE_PART, TWO_PARTS = "NUCLEO-L476RG", "DISCO-L4R9I-EXT"
ENCRYPTION: Final = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
"""Of FIPS 197, appendix B."""
KEYS: Final = Secrets("vectors", 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721, ENCRYPTION)
"""Of RFC 6979, A.2.5."""
NEXT: Final = Secrets("vectors", int.from_bytes(sha256(b"the next key"), "big"), ENCRYPTION)
OLD, NEW = "1.0.0", "1.1.0"
_LOOP: Final = b"\xfe\xe7"
"""A branch to itself, where an image starts."""


def noise(name: str, size: int) -> bytes:
    return b"".join(sha256(f"{name} {at}".encode()) for at in range(size // 32 + 1))[:size]


def images(board: Board) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
    """OLD and NEW, each with what it has for external flash: one chunk of both stays, and what is behind it moves."""
    body = bytes(apps.VECTORS) + _LOOP + noise("code", 1300)
    old = apps.startable(board, body)
    new = old[:600] + noise("inserted", 48) + old[600:]
    if not board.slot0.rest:
        return (old, b""), (new, b"")
    rest = noise("picture", 700)
    return (old, rest), (new, rest[:400] + noise("another", 60) + rest[460:])


def update(board: Board, stream: bytes, *, patch: bool, trial: bool) -> File:
    (old, old_rest), (new, rest) = images(board)
    outside = board.slot0.rest is not None
    base_hash = sha256(old)[:4] + external_hash(old_rest)[:4] if outside else sha256(old)[:8]
    manifest = Manifest(
        kind=(PATCH if patch else IMAGE) | TRIAL * trial | EXTERNAL * outside,
        product=name_id(KEYS.product),
        target=name_id(board.name),
        version=version(NEW),
        image_size=len(new),
        payload_size=0,
        base_version=version(OLD) if patch else 0,
        base_hash=base_hash if patch else bytes(8),
        image_hash=sha256(new),
        rest=rest if outside else None,
    )
    return File.of(KEYS, manifest, stream)


def rotation(board: Board) -> File:
    """The next key, signed by the first one."""
    table = comb(NEXT.public)
    manifest = Manifest(
        kind=KEY,
        product=name_id(KEYS.product),
        target=name_id(board.name),
        version=1,
        image_size=len(table),
        payload_size=0,
        image_hash=sha256(table),
    )
    return File.of(KEYS, manifest, table, sealed=False)


def _stream(name: str, board: Board, *, patch: bool, kept: dict[str, str]) -> bytes:
    if name in kept:
        return bytes.fromhex(kept[name])
    (old, old_rest), (new, rest) = images(board)
    start = board.image_address if patch else 0
    base = old if patch else b""
    return delta.encode(base, new, None, start, old_rest=old_rest if patch else b"", new_rest=rest, rest_base=REST_BASE)


def _files(kept: dict[str, str]) -> Iterator[tuple[dict[str, Any], File]]:
    for board in (Board.load(ONE_PART), Board.load(TWO_PARTS)):
        parts = "two parts" if board.slot0.rest else "one part"
        for patch in (False, True):
            for trial in (False, True):
                name = f"{'patch' if patch else 'image'} of {parts}{', on trial' * trial}"
                stream = _stream(name, board, patch=patch, kept=kept)
                row = {"name": name, "board": board.name, "patch": patch, "trial": trial, "stream": stream.hex()}
                yield row, update(board, stream, patch=patch, trial=trial)
    board = Board.load(ONE_PART)
    yield {"name": "a new key", "board": board.name}, rotation(board)


def _refused(good: File, stream: bytes) -> Iterator[tuple[str, bytes]]:
    """*good*, and what no receiver takes of it.  Where nothing else is said the signature fits what it is over."""
    signed: dict[str, Any] = {
        "another magic": {"magic": 0x5054},
        "a later format": {"format": 4},
        "an earlier format": {"format": 2},
        "a kind that there is not": {"kind": 5},
        "a new bootloader, which this version does not take": {"kind": 3},
        "two signatures": {"signature_count": 2},
        "no signature": {"signature_count": 0},
        "another key index": {"key_index": 1},
        "a trailer": {"trailer_size": 4},
        "an image of seven bytes": {"image_size": 7},
        "a payload that ends behind a hash": {"payload_size": 528},
        "no payload": {"payload_size": 0},
        "a full image with a base version": {"base_version": 1},
        "a full image with a base": {"base_hash": b"\1" + bytes(7)},
    }
    for reason, fields in signed.items():
        manifest = replace(good.manifest, **fields)
        yield reason, replace(good, manifest=manifest, signature=KEYS.sign(manifest.pack() + good.first)).pack()
    sealed: dict[str, Any] = {
        "another product": {"product": good.manifest.product ^ 1},
        "another board": {"target": good.manifest.target ^ 1},
        "no version": {"version": 0},
        "an image larger than the slot": {"image_size": 0x7FFFFFFF},
        "another image": {"image_hash": bytes(32)},
    }
    for reason, fields in sealed.items():
        yield reason, File.of(KEYS, replace(good.manifest, **fields), stream).pack()
    whole, start = good.pack(), len(good.manifest.pack())
    r, w = good.signature[:32], good.signature[32:]
    other = NEXT.sign(good.signed)
    for reason, signature in {
        "signed by another key": other,
        "r is 0": bytes(32) + w,
        "w is 0": r + bytes(32),
        "r is n": N.to_bytes(32, "big") + w,
        "w is n": r + N.to_bytes(32, "big"),
        "r and w exchanged": w + r,
    }.items():
        yield reason, whole[:start] + signature + whole[start + 64 :]
    for reason, at in {
        "a bit of the version, signed before": 16,
        "a bit of chunk 0": start + 64,
        "a bit of the hash of chunk 1": start + 64 + 512,
        "a bit of the last chunk": len(whole) - 1,
    }.items():
        yield reason, whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]


def _changes(good: bytes, bad: bytes) -> dict[str, str]:
    """Where *bad*, of the same length, has other bytes than *good*, and which."""
    differ = [at for at, (one, two) in enumerate(zip(good, bad, strict=True)) if one != two]
    starts = [at for at in differ if at - 1 not in differ]
    ends = [at + 1 for at in differ if at + 1 not in differ]
    return {str(start): bad[start:end].hex() for start, end in zip(starts, ends, strict=True)}


def text(kept: dict[str, str]) -> str:
    """The file's text, with the streams of *kept*, by the names of what they are in."""
    rows = list(_files(kept))
    files = [
        {
            **row,
            "nonce": sha256(file.manifest.pack())[:12].hex(),
            "header": file.header.hex(),
            "file": file.pack().hex(),
        }
        for row, file in rows
    ]
    applications = [
        {"board": name, "version": number, "image": image.hex(), **({"external": rest.hex()} if rest else {})}
        for name in (ONE_PART, TWO_PARTS)
        for number, (image, rest) in zip((OLD, NEW), images(Board.load(name)), strict=True)
    ]
    keys = [
        {
            "product": each.product,
            "private": f"{each.private:064x}",
            "public": "".join(f"{number:064x}" for number in each.public),
            "encryption": each.encryption.hex(),
        }
        for each in (KEYS, NEXT)
    ]
    row, good = rows[0]
    refused = [
        {"reason": reason, "changes": _changes(good.pack(), bad)}
        for reason, bad in _refused(good, bytes.fromhex(row["stream"]))
    ]
    document = {"format": 3, "keys": keys, "applications": applications, "files": files}
    return json.dumps(document | {"refused": {"of": row["name"], "files": refused}}, indent=1) + "\n"


def streams() -> dict[str, str]:
    """Name -> patch stream of the file as it is."""
    if not PATH.exists():
        return {}
    rows = json.loads(PATH.read_text(encoding="utf-8"))["files"]
    return {row["name"]: row["stream"] for row in rows if "stream" in row}


if __name__ == "__main__":
    PATH.write_text(text(streams()), encoding="utf-8")
