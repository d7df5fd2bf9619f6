"""The C decoder: the vectors of the specification, and agreement with the reference decoder on anything."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest

from spboot.delta.decoder import Decoder
from spboot.delta.rangecoder import RangeDecoder
from spboot.errors import FormatError
from spboot.formats.spec import data_path, spec
from tests.core.conftest import World
from tests.core.device import Decoded
from tests.delta.code import every_kind, filler, noise, plain, pointers
from tests.delta.writer import Recorder

VECTORS = json.loads((data_path("spec") / "patch-stream.json").read_text())
ONE_PART = {
    kind: [v for v in VECTORS[kind] if not {"old_rest", "new_rest_len"} & set(v)] for kind in ("valid", "invalid")
}
"""The others are decoded by tests/delta/test_vectors.py."""
VALID = [tuple(bytes.fromhex(vector[key]) for key in ("old", "new", "stream")) for vector in ONE_PART["valid"]]
PIECES = (None, 0, 1, 7, 31, 32, 33)
OLDS = (b"", b"A", plain(300), every_kind(), pointers(40, 8) + every_kind(), filler(64) + noise(200, "old"))


def reference(old: bytes, stream: bytes, new_len: int) -> Decoded:
    """What the reference decoder makes of *stream*.  Notes that no step reads more than it may."""
    bits = RangeDecoder(stream)
    decoder = Decoder(bits, old, new_len)
    try:
        while len(decoder.new) < new_len:
            before = bits.taken
            decoder.step()
            assert bits.taken - before <= spec()["delta"]["step_size"]
    except FormatError:
        return Decoded(status="PARSER_ERROR", new=bytes(decoder.new))
    return Decoded(status="PARSER_ERROR" if bits.unread else "OK", new=bytes(decoder.new))


def agree(world: World, old: bytes, stream: bytes, new_len: int, *pieces: int | None) -> Decoded:
    """Both decoders do the same, the C decoder in whatever *pieces* it is fed (None: at once)."""
    expected = reference(old, stream, new_len)
    for run in pieces or (None,):
        assert world.device.decode(old, stream, new_len, run) == expected, f"{old.hex()} {stream.hex()} {new_len}"
    return expected


@pytest.mark.parametrize("pieces", PIECES)
def test_vectors(world: World, pieces: int | None) -> None:
    """And D3, P2: in pieces as at once, never more than one step's bytes left unread."""
    for old, new, stream in VALID:
        if pieces is not None and not new:  # an empty image never gets this far
            continue
        assert world.device.decode(old, stream, len(new), pieces) == Decoded(status="OK", new=new)
    for vector in ONE_PART["invalid"]:
        old, stream = bytes.fromhex(vector["old"]), bytes.fromhex(vector["stream"])
        done = agree(world, old, stream, vector["new_len"], pieces)
        assert done.status == "PARSER_ERROR", vector["reason"]


def test_any_bytes_decode_as_in_python(world: World) -> None:
    """And D1, D2, D4, R1: test_sanitized.py runs this with OLD, stream and state in exact heap blocks."""
    pick = random.Random(1)
    for _ in range(1500):
        stream = pick.randbytes(pick.randrange(1, 120))
        agree(world, pick.choice(OLDS), stream, pick.randrange(1, 400), None, 0)


def test_damaged_vectors_decode_as_in_python(world: World) -> None:
    """Bits turned over, bytes lost and added, another OLD, another length."""
    pick = random.Random(2)
    for old, new, stream in VALID * 15:
        if len(new) in range(1, 1500):
            damaged = bytearray(stream)
            for _ in range(pick.randrange(3)):
                damaged[pick.randrange(len(damaged))] ^= 1 << pick.randrange(8)
            if pick.random() < 0.2:
                del damaged[pick.randrange(len(damaged)) :]
            if pick.random() < 0.1:
                old = old[: pick.randrange(len(old) + 1)]
            agree(world, old, bytes(damaged) or b"\0", len(new) + pick.choice((0, 0, -1, 3, 400)) or 1, None, 0)


def chooser(pick: random.Random) -> Callable[[str], int]:
    """Decisions that make long copies, references of all outcomes, numbers of all sizes, and seldom an end."""
    chance = {"op": 0.6, "space": 0.3, "flag": 0.03, "end": 0.3, "ref": 0.6, "ref_new": 0.6, "missed": 0.4}
    chance |= {"exponent": 0.06, "direct": 0.3, "again": 0.4, "same": 0.4, "mapped": 0.4, "previous": 0.3, "near": 0.5}
    chance = {group: pick.choice((part, part, part / 3, 0.5)) for group, part in chance.items()}
    return lambda group: int(pick.random() < chance.get(group, 0.5))


def test_made_up_decisions_decode_as_in_python(world: World) -> None:
    """Deep into the rules: streams made of decisions as no random bytes have them."""
    pick = random.Random(3)
    whole = 0
    for _ in range(1500):
        old, new_len = pick.choice(OLDS), pick.randrange(1, 500)
        recorder = Recorder(chooser(pick))
        decoder = Decoder(recorder, old, new_len)
        try:
            while len(decoder.new) < new_len:
                decoder.step()
        except FormatError:
            pass
        done = agree(world, old, recorder.encoder.finish(), new_len, None, 0)
        assert done.new == bytes(decoder.new)
        whole += done.status == "OK"
    assert whole > 200
