"""The C decoder: the vectors of the specification, and agreement with the Python decoder on anything."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spboot import delta
from spboot.errors import FormatError
from spboot.formats.spec import data_path
from tests.core.conftest import World

VECTORS = json.loads((data_path("spec") / "patch-stream.json").read_text())
ANY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("pieces", [0, 1, 7, 40, 41])
def test_vectors(world: World, pieces: int) -> None:
    """And D3, P2: in pieces as at once, never more than one operation's bytes left unread."""
    for vector in VECTORS["valid"]:
        old, new, stream = (bytes.fromhex(vector[key]) for key in ("old", "new", "stream"))
        if new:  # an empty image never gets this far
            assert world.device.decode(old, stream, len(new), pieces) == new, vector["name"]
    for vector in VECTORS["invalid"]:
        old, stream = bytes.fromhex(vector["old"]), bytes.fromhex(vector["stream"])
        assert world.device.decode(old, stream, vector["new_len"], pieces) is None, vector["reason"]


@ANY
@given(old=st.binary(max_size=300), stream=st.binary(min_size=1, max_size=120), size=st.integers(1, 400))
def test_any_bytes_decode_as_in_python(world: World, old: bytes, stream: bytes, size: int) -> None:
    """And D1, D2: test_sanitized.py runs this with OLD, stream and state in exact heap blocks."""
    try:
        expected = delta.decode(old, stream, size)
    except FormatError:
        expected = None
    assert world.device.decode(old, stream, size) == expected
    assert world.device.decode(old, stream, size, 3) == expected


@ANY
@given(old=st.binary(max_size=400), edits=st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=9)), max_size=6))
def test_round_trip(world: World, old: bytes, edits: list[tuple[int, bytes]]) -> None:
    new = bytearray(old + b"x")
    for at, data in edits:
        new[at : at + len(data) // 2] = data
    stream = delta.encode(old, bytes(new))
    assert world.device.decode(old, stream, len(new), 5) == bytes(new)
