"""Delta files: encode_file and apply_file."""

from __future__ import annotations

import pytest

from spboot import delta
from spboot.delta import file
from spboot.errors import FormatError
from spboot.formats.delta_file import DeltaHead, short_hash

from .conftest import NEW_APP, OLD_APP


def test_round_trip() -> None:
    packed = delta.encode_file(OLD_APP, NEW_APP, base=0x08008200)
    assert delta.apply_file(OLD_APP, packed) == NEW_APP
    head = DeltaHead.parse(packed)
    assert (head.base, head.old_size, head.new_size) == (0x08008200, len(OLD_APP), len(NEW_APP))
    assert (head.old_hash, head.new_hash) == (short_hash(OLD_APP), short_hash(NEW_APP))


def test_empty_files() -> None:
    for old, new in ((b"", b""), (b"", b"x"), (b"x", b"")):
        assert delta.apply_file(old, delta.encode_file(old, new)) == new


@pytest.mark.parametrize("old", [OLD_APP[:-1], OLD_APP + b"\0", b"?" + OLD_APP[1:], b""])
def test_wrong_old(old: bytes) -> None:
    packed = delta.encode_file(OLD_APP, NEW_APP)
    with pytest.raises(FormatError, match=rf"found {len(old)} bytes .* expected {len(OLD_APP)} bytes"):
        delta.apply_file(old, packed)


def test_every_flip_in_head_and_stream_is_seen() -> None:
    packed = delta.encode_file(OLD_APP[:400], NEW_APP[:900])
    for at in range(len(packed)):
        if 8 <= at < 12 or 16 <= at < 20:  # base is not ours to check; a huge NEW only takes long
            continue
        bad = bytearray(packed)
        bad[at] ^= 1 << at % 8
        with pytest.raises(FormatError):
            delta.apply_file(OLD_APP[:400], bytes(bad))


def test_file_that_does_not_decode_is_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "encode", lambda old, new, progress: delta.encode(old, new[:-1] + b"?"))
    with pytest.raises(FormatError, match="damaged"):
        delta.encode_file(OLD_APP, NEW_APP)
