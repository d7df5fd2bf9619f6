"""What decisions cost adds up to the stream (delta/meter.py)."""

from __future__ import annotations

import random

import pytest

from spboot import delta
from spboot.delta import meter, reference
from spboot.errors import FormatError

BASE = 0x08008200


def spent(old: bytes, stream: bytes, new_len: int) -> dict[str, float]:
    """Bits of all steps by kind; the steps cover NEW once, in order."""
    found: dict[str, float] = {}
    at = 0
    for step in meter.trace(old, stream, new_len):
        assert step.start == at
        at = step.end
        for kind, bits in step.bits.items():
            found[kind] = found.get(kind, 0.0) + bits
    assert at == new_len
    return found


def test_the_bits_are_those_of_the_stream() -> None:
    chance = random.Random(1)
    old = chance.randbytes(3000)
    changed = bytearray(old)
    for at in range(0, 3000, 97):
        changed[at] ^= 0x10
    for new in (old[:1500] + b"something new" + old[1500:], bytes(changed), old[::-1], old):
        stream = delta.encode(old, new)
        bits = spent(old, stream, len(new))
        assert set(bits) <= set(meter.KINDS)
        assert sum(bits.values()) == pytest.approx(8 * len(stream), abs=1e-6)
        assert all(bits.get(kind, 0) >= 0 for kind in meter.KINDS)
        assert 24 - 16 < bits[meter.START] < 24 + 16, "the base, and what whole bytes leave over, less zeros not sent"


def test_what_the_bits_are_for() -> None:
    chance = random.Random(2)
    old = chance.randbytes(4000)
    inserted = spent(old, delta.encode(old, old[:2000] + chance.randbytes(200) + old[2000:]), 4200)
    assert inserted[meter.NEW] > 8 * 180, "200 bytes that nobody can guess"
    patched = bytearray(old)
    for at in range(100, 4000, 300):
        patched[at] = (patched[at] + 77) & 0xFF
    changed = spent(old, delta.encode(old, bytes(patched)), 4000)
    assert changed[meter.CHANGED] > changed.get(meter.NEW, 0.0)
    stored = chance.randbytes(500)
    assert spent(b"", delta.encode(b"", stored), 500)[meter.NEW] == pytest.approx(8 * 500, rel=0.02)


def calls(grown: int) -> bytes:
    """Code with a BL each 16 bytes, to places all over it; *grown* bytes came in at 2000."""
    chance, out = random.Random(3), bytearray()
    targets = [chance.randrange(0, 4000, 2) for _ in range(250)]
    for number, target in enumerate(targets):
        if number == 125:
            out += bytes(range(grown))
        call = reference.write(
            b"\x00\xf0\x00\xf8", reference.BL, BASE + len(out) + 4, BASE + target + grown * (target >= 2000)
        )
        assert call is not None
        out += call + chance.randbytes(12)
    return bytes(out)


def test_references_are_told_apart() -> None:
    old, new = calls(0), calls(20)
    bits = spent(old, delta.encode(old, new, base=BASE), len(new))
    assert bits[meter.REFERENCE] > bits[meter.CHANGED] if meter.CHANGED in bits else bits[meter.REFERENCE] > 0


def test_a_stream_that_breaks_a_rule_is_refused() -> None:
    old = bytes(range(256))
    stream = delta.encode(old, old[::-1])
    with pytest.raises(FormatError, match="patch stream"):
        spent(old[:40], stream[:30], 256)


def test_the_base_is_told() -> None:
    assert meter.base_of(delta.encode(bytes(400), bytes(399) + b"x", base=0x08008200)) == 0x08008200
