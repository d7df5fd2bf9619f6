"""spec/patch-stream.json against the reference decoder and its own maker."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spboot.delta.chip_decoder import attempt
from spboot.delta.decoder import decode
from spboot.errors import FormatError
from spboot.formats.spec import data_path

from . import make_vectors

_PATH = data_path("spec") / "patch-stream.json"
_VECTORS: dict[str, Any] = json.loads(_PATH.read_text(encoding="utf-8"))
_RULES = {  # first word of the reason in the file -> what the decoder says
    "OLD": r"copy from byte \d+ of OLD, which has \d+:",
    "distance": r"copy from \d+ bytes back when \d+ bytes of NEW are written:",
    "announced": r"\d+ x 64 bytes without a change with \d+ left:",
    "nothing": "a copy that ends before its first byte:",
    "reach": r"reference of kind \d+ to 0x[0-9a-f]+, out of its reach:",
    "unread": r"\d+ bytes left after the end of NEW:",
}


def test_file_is_what_the_maker_makes() -> None:
    assert _PATH.read_text(encoding="utf-8") == make_vectors.text()
    assert _PATH.stat().st_size < 96 << 10


@pytest.mark.parametrize("vector", _VECTORS["valid"], ids=lambda vector: vector["name"])
def test_valid(vector: dict[str, str]) -> None:
    old, new, stream = (bytes.fromhex(vector[name]) for name in ("old", "new", "stream"))
    old_rest, rest = (bytes.fromhex(vector.get(name, "")) for name in ("old_rest", "new_rest"))
    assert decode(old, stream, len(new), old_rest=old_rest, new_rest_len=len(rest)) == new + rest
    assert attempt(old, stream, len(new), old_rest=old_rest, new_rest_size=len(rest)) == (0, new + rest)


@pytest.mark.parametrize("vector", _VECTORS["invalid"], ids=lambda vector: vector["reason"])
def test_invalid(vector: dict[str, Any]) -> None:
    old, stream, old_rest = (bytes.fromhex(vector.get(name, "")) for name in ("old", "stream", "old_rest"))
    size, rest = vector["new_len"], vector.get("new_rest_len", 0)
    with pytest.raises(FormatError, match=_RULES[vector["reason"].split(":")[0]]):
        decode(old, stream, size, old_rest=old_rest, new_rest_len=rest)
    assert attempt(old, stream, size, old_rest=old_rest, new_rest_size=rest)[0] != 0
