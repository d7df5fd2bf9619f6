"""Delta files: encode_file and apply_file."""

from __future__ import annotations

import hashlib

import pytest

from spboot import delta
from spboot.errors import FormatError
from spboot.formats.delta_file import HEAD_SIZE, DeltaHead, check_of, is_delta_file

from .conftest import NEW_APP, OLD_APP

_EITHER = "either OLD is another file than the one the patch was made from, or the patch is damaged"


def test_round_trip() -> None:
    packed = delta.encode_file(OLD_APP, NEW_APP, base=0x08008200)
    assert is_delta_file(packed)
    assert delta.apply_file(OLD_APP, packed) == NEW_APP
    head = DeltaHead.parse(packed)
    assert head.pack() == packed[:HEAD_SIZE]
    assert (head.new_size, head.check) == (len(NEW_APP), hashlib.sha256(OLD_APP + NEW_APP).digest()[:4])


def test_empty_files() -> None:
    for old, new in ((b"", b""), (b"", b"x"), (b"x", b"")):
        assert delta.apply_file(old, delta.encode_file(old, new)) == new


@pytest.mark.parametrize("base", [0x08008201, 0x80, -256, 1 << 32])
def test_base_that_no_stream_can_tell(base: int) -> None:
    with pytest.raises(FormatError, match=rf"base is {base:#x}, expected .* multiple of 256"):
        delta.encode_file(OLD_APP, NEW_APP, base=base)


@pytest.mark.parametrize("old", [OLD_APP[:-1], OLD_APP + b"\0", b"?" + OLD_APP[1:], b""])
def test_wrong_old(old: bytes) -> None:
    """The stream may notice it, too."""
    packed = delta.encode_file(OLD_APP, NEW_APP)
    with pytest.raises(FormatError, match=rf"{_EITHER}|the patch is damaged or for another OLD"):
        delta.apply_file(old, packed)


def test_wrong_old_that_decodes() -> None:
    """A patch that copies nothing from OLD: only the check tells."""
    old, other = b"\x01" * 8, b"\x02" * 8
    packed = delta.encode_file(old, b"x")
    with pytest.raises(FormatError, match=f"expected {check_of(old, b'x').hex()}: {_EITHER}"):
        delta.apply_file(other, packed)


def test_no_flip_gives_another_file() -> None:
    """It is seen, or of no consequence: an address may be another one when nothing depends on it."""
    packed = delta.encode_file(OLD_APP[:400], NEW_APP[:900])
    for at in range(len(packed)):
        if at in (6, 7):  # a huge NEW only takes long
            continue
        bad = bytearray(packed)
        bad[at] ^= 1 << at % 8
        try:
            found = delta.apply_file(OLD_APP[:400], bytes(bad))
        except FormatError:
            continue
        assert at >= HEAD_SIZE
        assert found == NEW_APP[:900]


@pytest.mark.parametrize(
    ("at", "byte", "words"),
    [
        (1, 0, "magic is 0x0053, expected 0x4453"),
        (2, 9, "format 9, this spboot knows"),
        (3, 1, "the reserved byte is 0x01, expected zero"),
    ],
)
def test_head_says_what_is_wrong(at: int, byte: int, words: str) -> None:
    bad = bytearray(delta.encode_file(b"", b"x"))
    bad[at] = byte
    with pytest.raises(FormatError, match=words):
        delta.apply_file(b"", bytes(bad))
