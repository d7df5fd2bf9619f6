"""Reference decoder of the patch stream: OLD and a stream give NEW.  Source: spec/patch-stream.md.

Written from that page alone and to be read beside it.  It is slow: it is there to check the decoder in C.
"""

from __future__ import annotations

from typing import Final

from spboot.delta import reference
from spboot.delta.models import BRANCH, DISTANCE, NEAR, NIBBLE, OTHER, POINTER, SURE, index
from spboot.delta.moves import DATA, REST, REST_UNIT, SMALL, Guess, Moves, is_code, key, space_of
from spboot.delta.pair import REST_BASE
from spboot.delta.rangecoder import U32, Bits, RangeDecoder, golomb, signed, tree
from spboot.delta.reference import Reference
from spboot.errors import FormatError
from spboot.formats.spec import spec

CALM: Final[int] = spec()["delta"]["calm"]
SURE_UNIT: Final[int] = spec()["delta"]["sure_unit"]
SECOND: Final[int] = spec()["delta"]["rest"]
"""Position of the first byte of the second part."""
_RUN_KNOWN: Final = 8  # bytes without a change after which a copy is taken for right: then its move is learnt
_MOST: Final = 255  # run and calm stop counting here

OLD: Final = 0
NEW: Final = 1
STORED: Final = 2


def _bad(found: str) -> FormatError:
    return FormatError(f"patch stream: {found}: the patch is damaged or for another OLD")


class Decoder:
    """The state while one stream is decoded: NEW as far as it is written, and what the models have learnt.

    *new*: what is written of the part in progress."""

    def __init__(
        self,
        bits: Bits,
        old: bytes,
        new_len: int,
        *,
        old_rest: bytes = b"",
        new_rest_len: int = 0,
        rest_base: int = REST_BASE,
    ) -> None:
        self.bits = bits
        self.old = old
        self.old_rest = old_rest
        self.new = self.first = bytearray()
        self.new_len = new_len
        self.lens = new_len, new_rest_len
        self._start = 0  # position of the part in progress
        self.base = bits.direct(24) << 8 if old or old_rest else 0
        self._rest_base = rest_base
        self.moves = Moves()
        self.r0 = self.distance = 0
        self.before: int | None = None  # space of the copy before, when it was ended by the stream
        self.literals = 0
        self.missed = [False] * 12  # for each kind of reference: the last one was not as guessed
        self.space: int | None = None  # of the copy in progress
        self.source = 0
        self.pending: int | None = None
        self.run = self.calm = self.skip = self.sure = 0
        self.changed = self.asked = self.wrote = False

    @property
    def np(self) -> int:
        """Position of the next byte of NEW."""
        return self._start + len(self.new)

    @property
    def written(self) -> int:
        """Bytes of NEW written, of both parts."""
        return len(self.new) + (len(self.first) if self._start else 0)

    def more(self) -> bool:
        """Whether there is a byte of NEW to come.  Behind the first part the second begins."""
        if len(self.new) < self.new_len:
            return True
        if self._start or not self.lens[1]:
            return False
        self.new, self.new_len, self._start = bytearray(), self.lens[1], SECOND
        self.space = self.before = None
        self.r0 = 0
        return True

    def step(self) -> None:
        """Decode one step.  Raises FormatError when the stream breaks a rule."""
        if self.space is None:
            self._begin()
        elif self.space == STORED:
            self.new.append(self.bits.direct(8))
        else:
            self._go_on()

    # Without a copy in progress

    def _begin(self) -> None:
        if not self.bits.bit(index("op", min(self.literals, 3) + (0 if self.before is None else 4))):
            self._literal()
            return
        if not (self.old or self.old_rest) or self.bits.bit(index("space", self.before is not None)):
            if not self.new:
                self.space = STORED
                return
            self._begin_new()
        else:
            self._begin_old()
        self.literals = self.run = self.calm = self.skip = self.sure = 0
        self.changed = self.asked = self.wrote = False

    def _literal(self) -> None:
        high = tree(self.bits, index("literal_high", self.np % 2, self._two_before() >> 6), NIBBLE)
        self.new.append(high << 4 | tree(self.bits, index("literal_low", high), NIBBLE))
        self.literals += 1

    def _two_before(self) -> int:
        """The byte of NEW written before the last one, 0 when there is none."""
        last = bytes(self.first[-2:] + self.new[-2:]) if self._start else bytes(self.new[-2:])
        return last[-2] if len(last) >= 2 else 0

    def _begin_new(self) -> None:
        if not self.bits.bit(index("again")):
            self.distance = golomb(self.bits, DISTANCE) + 1
        self.source = self.np - self.distance
        self.space = NEW
        if not 0 <= self.source < self.np or self._left_in_source() <= 0:
            raise _bad(f"copy from {self.distance} bytes back when {self.np} bytes of NEW are written")

    def _begin_old(self) -> None:
        displacement = self._displacement() & U32
        self.source = self.np - displacement & U32
        self.r0 = displacement
        self.space = OLD
        if self._left_in_source() <= 0:
            raise _bad(f"copy from byte {self.source} of OLD, which has {len(self.old)}")
        self.pending = self._place_key(self.source)

    def _displacement(self) -> int:
        bits = self.bits
        if bits.bit(index("same", self.literals == 0)):
            return self.r0
        if bits.bit(index("mapped")):
            return self.moves.nearest(self.np, self.r0)
        if bits.bit(index("near")):
            return self.r0 + signed(bits, NEAR)
        half = bits.direct((len(self.old) + len(self.old_rest)).bit_length() - 1)
        at = 2 * half + bits.bit(index("low"))
        if (self.old_rest or self.lens[1]) and at >= len(self.old):
            at += SECOND - len(self.old)
        return self.np - at

    # A copy in progress

    @property
    def _moved(self) -> int:
        return self.np - self.source

    def _part(self) -> tuple[bytes | bytearray, int]:
        """The part of OLD or NEW in which the source is, and where in it."""
        second = self.source >= SECOND
        if self.space == OLD:
            part: bytes | bytearray = self.old_rest if second else self.old
        else:
            part = self.new if second else self.first
        return part, self.source - SECOND if second else self.source

    def _left_in_source(self) -> int:
        """Bytes left in that part; not above 0: the source is nowhere."""
        part, at = self._part()
        return len(part) - at

    def _left(self) -> int:
        """Bytes left in the source and in the part of NEW."""
        return min(self._left_in_source(), self.new_len - len(self.new))

    def _go_on(self) -> None:
        if not self._left_in_source():
            self.space = self.before = None
            return
        if self.calm >= CALM and not self.asked:
            self._announce()
            return
        left = self._left()
        if not self.skip and left >= 2 and not self.source % 2 and not self.np % 2:
            part, at = self._part()
            data = bytes(part[at : at + min(left, 4)])
            found = reference.find(
                data,
                self.base + self.source + 4 & U32,
                self._image,
                aligned=not self.source % 4 and not self.np % 4,
                pointers_only=self._start > 0,
            )
            if found and self._reference(data[: found.size], found):
                return
        self._byte()

    @property
    def _image(self) -> reference.Image:
        return reference.Image(self.base, len(self.old), self._rest_base, len(self.old_rest))

    def _announce(self) -> None:
        units = golomb(self.bits, SURE)
        room = self.new_len - len(self.new)
        if self.space == OLD or (self.source >= SECOND) != (self.np >= SECOND):
            room = self._left()
        if units > room // SURE_UNIT:
            raise _bad(f"{units} x {SURE_UNIT} bytes without a change with {room} left")
        self.asked = True
        if units and self.bits.bit(index("as_it_is")):
            for _ in range(units * SURE_UNIT):
                part, at = self._part()
                self.new.append(part[at])
                self.source += 1
            self.run = _MOST
            self.changed = False
            self._surprise()
        else:
            self.sure = units * SURE_UNIT

    def _surprise(self) -> None:
        self.calm, self.asked = 0, False

    def _byte(self) -> None:
        part, at = self._part()
        value = part[at]
        if self.skip:
            self.skip -= 1
        if self.sure or not self._differs():
            self._copied(bytes([value]))
            return
        if self.bits.bit(index("end", 2 if self.space == NEW else self.changed, self.run >= 4)):
            if not self.wrote:
                raise _bad("a copy that ends before its first byte")
            self.before, self.space = self.space, None
            return
        self.new.append(value + self._change() & 0xFF)
        self.source += 1
        self.run = 0
        self.changed = self.wrote = True
        self._surprise()

    def _odd(self) -> int:
        """The byte at the odd address of the half-word at the source, which has the operation code."""
        part, at = self._part()
        return part[at | 1] if at | 1 < len(part) else 0

    def _differs(self) -> int:
        state = 2 if self.space == NEW else self.changed
        flag = index("flag", state, min(self.run.bit_length(), 7), self.np % 2)
        return self.bits.mixed(flag, index("opcode", self.source % 2, self._odd() >> 3, self.run >= _RUN_KNOWN))

    def _change(self) -> int:
        kind = self.space == OLD and not self.source % 2
        high = tree(self.bits, index("change_high", kind), NIBBLE)
        return high << 4 | tree(self.bits, index("change_low", kind, {0: 0, 15: 1}.get(high, 2)), NIBBLE)

    def _copied(self, data: bytes) -> None:
        if self.run >= _RUN_KNOWN and self.space == OLD and self.pending is not None:
            self.moves.put(self.pending, self._moved)
            self.pending = None
        self.new += data
        self.source += len(data)
        self.run = min(self.run + len(data), _MOST)
        self.calm = min(self.calm + len(data), _MOST)
        self.sure = max(self.sure - len(data), 0)
        self.wrote = True
        if self.run >= _RUN_KNOWN:
            self.changed = False

    # References

    def _reference(self, data: bytes, found: Reference) -> bool:
        """Copy the reference *found*, which is *data* in the source.  False: its bytes follow one by one."""
        name = self._key(found)
        guess = self._guess(found, name)
        pc = self.base + self.np + 4 & U32
        if self._as_guessed(found, guess):
            self._copied(reference.write(data, found.kind, pc, found.target + guess.first & U32) or data)
            return True
        missed = index("missed", found.kind)
        if self.bits.bit(missed):
            near = found.is_local or found.kind in (reference.BL, reference.REL)
            moved, written = self._moved if near else 0, data
        elif self.bits.bit(missed + 1):
            self._surprise()
            self.skip = found.size
            return False
        else:
            moved = guess.second if self.bits.bit(missed + 2) else guess.first + self._told(found)
            written = self._retargeted(data, found, moved)
        if self.space == OLD:
            self.moves.put(name, moved)
        self._surprise()
        self._copied(written)
        return True

    def _told(self, found: Reference) -> int:
        """How far beyond the first guess the target is, in bytes."""
        pointers = dict.fromkeys((reference.REL, reference.CODE, reference.DATA), POINTER)
        model = {reference.BL: BRANCH, **pointers}.get(found.kind, OTHER)
        return found.unit * signed(self.bits, model)

    def _retargeted(self, data: bytes, found: Reference, moved: int) -> bytes:
        target = found.target + moved & U32
        written = reference.write(data, found.kind, self.base + self.np + 4 & U32, target)
        if written is None:
            raise _bad(f"reference of kind {found.kind} to {target:#x}, out of its reach")
        return written

    def _key(self, found: Reference) -> int:
        if found.kind == reference.DATA:
            return key(found.target, DATA)
        if found.kind in (reference.SMALL, reference.MOVW):
            return key(found.target, SMALL)
        if self._image.has_second(found.target):
            return key((found.target - self._rest_base & U32) // REST_UNIT, REST)
        return key(found.target - self.base & U32)

    def _place_key(self, position: int) -> int:
        return key((position - SECOND) // REST_UNIT, REST) if position >= SECOND else key(position)

    def _guess(self, found: Reference, name: int) -> Guess:
        if self.space == NEW:
            moved = self._moved if found.is_local else 0
            return Guess(moved, moved, 3)
        here = self._place_key(self.source)
        guess = self.moves.find(name, (here, self._moved) if space_of(here) == space_of(name) else None)
        if is_code(name) and not found.is_local and guess.first != guess.second:
            place = (found.target & ~1) - self.base & U32
            if self._alike(place, guess.first) is False and self._alike(place, guess.second):
                guess = Guess(guess.second, guess.first, 2)
        if found.kind == reference.BL:
            guess = Guess(guess.first & ~1, guess.second & ~1, guess.sureness)
        return guess

    def _alike(self, place: int, moved: int) -> bool | None:
        """Whether NEW begins at *place* + *moved* like OLD at *place*; None when that cannot be seen."""
        there = place + moved & U32
        if place + 4 > len(self.old) or there + 4 > len(self.first):
            return None
        return self.old[place : place + 4] == self.first[there : there + 4]

    def _as_guessed(self, found: Reference, guess: Guess) -> bool:
        if self.sure:
            return True
        if self.space == NEW:
            hit = self.bits.bit(index("ref_new", found.kind))
        else:
            hit = self.bits.bit(index("ref", found.kind, guess.sureness, self.missed[found.kind]))
        self.missed[found.kind] = not hit
        return bool(hit)


def decode(
    old: bytes,
    stream: bytes,
    new_len: int,
    *,
    old_rest: bytes = b"",
    new_rest_len: int = 0,
    rest_base: int = REST_BASE,
) -> bytes:
    """NEW, *new_len* bytes, made from *old* (empty: from nothing) by *stream*; behind them its second part, if any.

    Raises FormatError when a step breaks a rule, or bytes of the stream are left unread.  A wrong OLD is not
    always noticed here: compare the hash of the result.
    """
    bits = RangeDecoder(stream)
    decoder = Decoder(bits, old, new_len, old_rest=old_rest, new_rest_len=new_rest_len, rest_base=rest_base)
    while decoder.more():
        decoder.step()
    if bits.unread:
        raise _bad(f"{bits.unread} bytes left after the end of NEW")
    return bytes(decoder.first + (decoder.new if new_rest_len else b""))
