"""What a device says, divided anywhere, and a device that says without end."""

from __future__ import annotations

import pytest

from spboot.link import ymodem
from spboot.link.verdict import Hearing


class Babbler:
    """A port at which somebody talks all the time, in pieces that end in the letter of a call."""

    def __init__(self, piece: bytes = b"abC") -> None:
        self.time = 0.0
        self.piece = piece

    def now(self) -> float:
        return self.time

    def read(self, size: int, timeout_s: float) -> bytes:
        self.time += 0.01
        return self.piece[:size]

    def write(self, data: bytes) -> None:
        raise AssertionError(f"{data!r} was written")


@pytest.mark.parametrize("piece", [b"abC", b"abc", b"C"])
def test_listening_to_who_never_pauses_ends(piece: bytes) -> None:
    """Each read ends in a call that is none, as more follows at once."""
    port, heard = Babbler(piece), bytearray()
    assert not ymodem.listen(port, 1.0, on_text=heard.extend, limit_s=2.0)
    assert 2.0 <= port.time < 2.5
    assert heard == piece * (len(heard) // len(piece)) and len(heard) // len(piece) == round(port.time / 0.01)


LINE = b"\r\n[    1.234] refused, code 15: wrong signature: damaged, or another key\r\n"


@pytest.mark.parametrize("at", range(1, len(LINE)))
def test_a_verdict_counts_when_its_line_has_ended(at: int) -> None:
    hearing = Hearing()
    hearing.feed(LINE[:at])
    assert not hearing.whole
    hearing.feed(LINE[at:])
    assert hearing.whole and hearing.verdict is not None
    assert hearing.verdict.words == ("refused, code 15: wrong signature: damaged, or another key",)
