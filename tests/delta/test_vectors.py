"""spec/patch-stream.json against decoder, encoder and its own maker."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spboot import delta
from spboot.errors import FormatError
from spboot.formats.spec import data_path

from . import make_vectors

_PATH = data_path("spec") / "patch-stream.json"
_VECTORS: dict[str, Any] = json.loads(_PATH.read_text(encoding="utf-8"))
_REASONS = {  # first word of the reason in the file -> what the decoder says
    "OLD": "of OLD, which has",
    "NEW": "bytes of NEW left",
    "distance": "bytes back when",
    "unread": "left after the end",
}


def test_file_is_what_the_maker_makes() -> None:
    assert _PATH.read_text(encoding="utf-8") == make_vectors.text()
    assert _PATH.stat().st_size < 64 << 10


@pytest.mark.parametrize("vector", _VECTORS["valid"], ids=lambda vector: vector["name"])
def test_valid(vector: dict[str, str]) -> None:
    old, new, stream = (bytes.fromhex(vector[name]) for name in ("old", "new", "stream"))
    assert delta.decode(old, stream, len(new)) == new
    assert delta.decode(old, delta.encode(old, new), len(new)) == new


@pytest.mark.parametrize("vector", _VECTORS["invalid"], ids=lambda vector: vector["reason"])
def test_invalid(vector: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match=_REASONS[vector["reason"].split(":")[0]]):
        delta.decode(bytes.fromhex(vector["old"]), bytes.fromhex(vector["stream"]), vector["new_len"])
