"""Makes patch streams decision by decision, valid or not: the Python decoder runs, its questions are answered here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import prod

from spboot.delta import models
from spboot.delta.decoder import CALM, SECOND, Decoder
from spboot.delta.models import AFTER, SHAPES
from spboot.delta.rangecoder import U32
from spboot.errors import FormatError

_TOP = 1 << 24
BASE = 0x08008000
_BASE_BITS = 24
_CALM = {"flag": 0, "ref": 1, "ref_new": 1, "exponent": 0, "as_it_is": 0}
"""Answers when nothing surprising is to come."""
GROUP = [name for name, shape in SHAPES.items() for _ in range(prod(shape))]
"""Group of each adaptive bit."""


class RangeEncoder:
    """Turns decisions into bytes."""

    def __init__(self) -> None:
        self._models = models.start()
        self._low = 0
        self._range = U32
        self._out = bytearray()

    def bit(self, model: int, bit: int) -> None:
        state = self._models[model]
        self._models[model] = AFTER[bit][state]
        self._decide(state >> 4, bit)

    def mixed(self, one: int, other: int, bit: int) -> None:
        first, second = self._models[one], self._models[other]
        self._models[one], self._models[other] = AFTER[bit][first], AFTER[bit][second]
        self._decide((first >> 4) + (second >> 4) >> 1, bit)

    def direct(self, value: int, count: int) -> None:
        for shift in range(count - 1, -1, -1):
            self._decide(2048, value >> shift & 1)

    def _decide(self, p: int, bit: int) -> None:
        bound = (self._range >> 12) * p
        if bit:
            self._range = bound
        else:
            self._low += bound
            self._range -= bound
        while self._range < _TOP:
            self._range <<= 8
            self._carry()
            self._out.append(self._low >> 24)
            self._low = self._low << 8 & U32

    def _carry(self) -> None:
        if self._low > U32:
            self._low &= U32
            at = len(self._out) - 1
            while self._out[at] == 0xFF:
                self._out[at] = 0
                at -= 1
            self._out[at] += 1

    def finish(self) -> bytes:
        """End the stream: the number in the final interval with the most trailing zeros, less its zero bytes."""
        for zeros in range(32, -1, -1):
            mask = (1 << zeros) - 1
            value = self._low + mask & ~mask
            if value < self._low + self._range:
                break
        whole = int.from_bytes(self._out, "big") << 32
        return (whole + value).to_bytes(len(self._out) + 4, "big").rstrip(b"\0") or b"\0"


class Recorder:
    """Decisions made up by *choose*, given the group ("direct" for direct bits), and written down.  Implements Bits.

    When there is an OLD, *base* is the address of it."""

    def __init__(self, choose: Callable[[str], int], base: int = BASE) -> None:
        self.encoder = RangeEncoder()
        self.choose = choose
        self._base: int | None = base >> 8

    def bit(self, model: int) -> int:
        bit = self.choose(GROUP[model])
        self.encoder.bit(model, bit)
        return bit

    def mixed(self, one: int, other: int) -> int:
        assert (GROUP[one], GROUP[other]) == ("flag", "opcode")
        bit = self.choose("flag")
        self.encoder.mixed(one, other, bit)
        return bit

    def direct(self, count: int) -> int:
        value = 0
        if count == _BASE_BITS and self._base is not None:  # the first question
            value, self._base = self._base, None
        else:
            for _ in range(count):
                value = value << 1 | self.choose("direct")
        self.encoder.direct(value, count)
        return value


class Writer:
    """A stream on its way, and the decoder that follows it.  Methods are steps; each checks what the decoder asks."""

    def __init__(
        self,
        old: bytes = b"",
        new_len: int = 1 << 20,
        base: int = BASE,
        *,
        old_rest: bytes = b"",
        new_rest_len: int = 0,
    ) -> None:
        self._answers: deque[tuple[str, int]] = deque()
        self._recorder = Recorder(self._answer, base)
        self.decoder = Decoder(self._recorder, old, new_len, old_rest=old_rest, new_rest_len=new_rest_len)

    @property
    def old(self) -> bytes:
        return self.decoder.old

    @property
    def new(self) -> bytes:
        """The part in progress."""
        return bytes(self.decoder.new)

    @property
    def parts(self) -> tuple[bytes, bytes]:
        """Both parts; the second is empty when it has not begun."""
        first = bytes(self.decoder.first)
        return first, b"" if self.decoder.new is self.decoder.first else self.new

    def stream(self) -> bytes:
        assert not self._answers
        return self._recorder.encoder.finish()

    def refused(self, step: Callable[[Writer], Writer]) -> Writer:
        """Take *step*, the last one, which the decoder must refuse."""
        try:
            step(self)
        except FormatError:
            assert not self._answers
            return self
        raise AssertionError("the decoder took it")

    # Answers

    def _answer(self, group: str) -> int:
        if not self._answers:
            return _CALM[group]
        expected, bit = self._answers.popleft()
        assert group == expected, f"the decoder asks for {group}, not {expected}"
        return bit

    def _bits(self, *answers: tuple[str, int]) -> None:
        self._answers.extend(answers)

    def _direct(self, value: int, count: int) -> None:
        self._bits(*(("direct", value >> shift & 1) for shift in range(count - 1, -1, -1)))

    def _tree(self, group: str, value: int, width: int) -> None:
        self._bits(*((group, value >> shift & 1) for shift in range(width - 1, -1, -1)))

    def _byte(self, group: str, value: int) -> None:
        self._tree(f"{group}_high", value >> 4, 4)
        self._tree(f"{group}_low", value & 15, 4)

    def _golomb(self, value: int) -> None:
        u = value + 1
        e = u.bit_length() - 1
        self._tree("exponent", e, 5)
        learnt = min(e, 2)
        self._direct((u & (1 << e) - 1) >> learnt, e - learnt)
        self._tree("mantissa", u & (1 << learnt) - 1, learnt)

    def _signed(self, value: int) -> None:
        assert value
        self._bits(("sign", int(value < 0)))
        self._golomb(abs(value) - 1)

    def _step(self) -> Writer:
        self.decoder.more()
        self.decoder.step()
        assert not self._answers, f"the decoder did not ask for {list(self._answers)}"
        return self

    # Steps without a copy in progress

    def literals(self, data: bytes) -> Writer:
        for byte in data:
            self._bits(("op", 0))
            self._byte("literal", byte)
            self._step()
        return self

    def copy_new(self, distance: int | None) -> Writer:
        """Begin a copy from *distance* back; None: as far as the last one."""
        self._bits(("op", 1))
        if self.old or self.decoder.old_rest:
            self._bits(("space", 1))
        self._bits(("again", int(distance is None)))
        if distance is not None:
            self._golomb(distance - 1)
        return self._step()

    def stored(self, data: bytes) -> Writer:
        """All of the part as it is."""
        self._bits(("op", 1), *([("space", 1)] if self.old or self.decoder.old_rest else []))
        self._step()
        for byte in data:
            self._direct(byte, 8)
            self._step()
        return self

    def copy_old(self, source: int, how: str) -> Writer:
        """Begin a copy from *source* of OLD, found as *how* says: same, mapped, near or far."""
        self._bits(("op", 1), ("space", 0))
        for name in ("same", "mapped", "near"):
            self._bits((name, int(name == how)))
            if name == how:
                break
        if how == "near":
            away = self.decoder.np - source - self.decoder.r0 + (1 << 31) & U32
            self._signed(away - (1 << 31))
        elif how == "far":
            index = source - SECOND + len(self.old) if source >= SECOND else source
            self._direct(index >> 1, (len(self.old) + len(self.decoder.old_rest)).bit_length() - 1)
            self._bits(("low", index & 1))
        self._step()
        assert self.decoder.source == source, f"the copy begins at {self.decoder.source}"
        return self

    # Steps of a copy

    def predicted(self, count: int) -> Writer:
        """Go on until *count* bytes more are written, each as predicted."""
        end = len(self.new) + count
        while len(self.new) < end:
            self._step()
        assert len(self.new) == end
        return self

    def change(self, more: int) -> Writer:
        """The next byte is that of the source plus *more*."""
        self._announce_nothing()
        self._bits(("flag", 1), ("end", 0))
        self._byte("change", more)
        return self._step()

    def end(self) -> Writer:
        """The copy is over."""
        self._announce_nothing()
        self._bits(("flag", 1), ("end", 1))
        return self._step()

    def _announce_nothing(self) -> None:
        if self.decoder.calm >= CALM and not self.decoder.asked:
            self.announce(0)

    def over(self) -> Writer:
        """A step in which nothing is asked: the copy has come to the end of OLD."""
        self._step()
        assert self.decoder.space is None
        return self

    def announce(self, units: int) -> Writer:
        """So many units come as predicted."""
        self._golomb(units)
        return self._step()

    def as_it_is(self, units: int) -> Writer:
        """So many units come as they are in the source."""
        self._golomb(units)
        self._bits(("as_it_is", 1))
        return self._step()

    def missed(self, how: str, more: int = 0) -> Writer:
        """The next reference is not as guessed: raw, bytewise, second, or told: *more* units away from the guess.

        After bytewise its first byte is written, too, as it is in the source."""
        self._announce_nothing()
        self._bits(("ref_new" if self.decoder.space else "ref", 0))
        for name in ("raw", "bytewise", "second"):
            self._bits(("missed", int(name == how)))
            if name == how:
                break
        if how == "told":
            self._signed(more)
        elif how == "bytewise":
            self._bits(("flag", 0))
        return self._step()
