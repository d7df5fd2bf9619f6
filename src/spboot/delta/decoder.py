"""Reference decoder of the patch stream: OLD and a stream give NEW.  Source: spec/patch-stream.md.

Written from that page alone and to be read beside it.  It is slow: it is there to check the decoder in C.
"""

from __future__ import annotations

from typing import Final

from spboot.delta import reference
from spboot.delta.models import BRANCH, DISTANCE, NEAR, NIBBLE, OTHER, POINTER, SURE, index
from spboot.delta.moves import DATA, SMALL, Guess, Moves, is_code, key
from spboot.delta.rangecoder import U32, Bits, RangeDecoder, golomb, signed, tree
from spboot.delta.reference import Reference
from spboot.errors import FormatError
from spboot.formats.spec import spec

CALM: Final[int] = spec()["delta"]["calm"]
SURE_UNIT: Final[int] = spec()["delta"]["sure_unit"]
_RUN_KNOWN: Final = 8  # bytes without a change after which a copy is taken for right: then its move is learnt
_MOST: Final = 255  # run and calm stop counting here
_RECENT: Final = 7  # the last three decisions about a kind

OLD: Final = 0
NEW: Final = 1
STORED: Final = 2


def _bad(found: str) -> FormatError:
    return FormatError(f"patch stream: {found}: the patch is damaged or for another OLD")


class Decoder:
    """The state while one stream is decoded: NEW as far as it is written, and what the models have learnt."""

    def __init__(self, bits: Bits, old: bytes, new_len: int) -> None:
        self.bits = bits
        self.old = old
        self.new = bytearray()
        self.new_len = new_len
        self.base = bits.direct(24) << 8 if old else 0
        self.moves = Moves()
        self.r0 = self.r1 = self.distance = 0
        self.before: int | None = None  # space of the copy before, when it was ended by the stream
        self.literals = 0
        self.misses = [0] * 11  # the last three decisions for each kind of reference: a bit for each miss
        self.space: int | None = None  # of the copy in progress
        self.source = 0
        self.pending: int | None = None
        self.run = self.calm = self.skip = self.sure = 0
        self.changed = self.asked = self.wrote = False

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
        if not self.old or self.bits.bit(index("space", self.before is not None)):
            if not self.new:
                self.space = STORED
                return
            self._begin_new()
        else:
            self._begin_old()
        self.literals = self.run = self.calm = self.skip = self.sure = 0
        self.changed = self.asked = self.wrote = False

    def _literal(self) -> None:
        at = len(self.new)
        top = self.new[at - 2] >> 6 if at >= 2 else 0
        high = tree(self.bits, index("literal_high", at % 2, top), NIBBLE)
        self.new.append(high << 4 | tree(self.bits, index("literal_low", high), NIBBLE))
        self.literals += 1

    def _begin_new(self) -> None:
        if not self.bits.bit(index("again")):
            self.distance = golomb(self.bits, DISTANCE) + 1
        written = len(self.new)
        if not 1 <= self.distance <= written:
            raise _bad(f"copy from {self.distance} bytes back when {written} bytes of NEW are written")
        self.source = written - self.distance
        self.space = NEW

    def _begin_old(self) -> None:
        displacement = self._displacement() & U32
        source = len(self.new) - displacement & U32
        if displacement != self.r0:
            self.r0, self.r1 = displacement, self.r0
        if source >= len(self.old):
            raise _bad(f"copy from byte {source} of OLD, which has {len(self.old)}")
        known = len(self.moves) and self.moves.find(key(source)).first & U32 == displacement
        self.pending = None if known else key(source)
        self.source = source
        self.space = OLD

    def _displacement(self) -> int:
        bits = self.bits
        if bits.bit(index("same", self.literals == 0)):
            return self.r0
        if bits.bit(index("mapped")):
            return self.moves.nearest(len(self.new), self.r0)
        if bits.bit(index("previous")):
            return self.r1
        if bits.bit(index("near")):
            return self.r0 + signed(bits, NEAR)
        half = bits.direct(len(self.old).bit_length() - 1)
        return len(self.new) - (2 * half + bits.bit(index("low")))

    # A copy in progress

    @property
    def _moved(self) -> int:
        return len(self.new) - self.source

    def _left(self) -> int:
        """Bytes left in the source and in NEW."""
        return min(len(self.old if self.space == OLD else self.new) - self.source, self.new_len - len(self.new))

    def _go_on(self) -> None:
        if self.space == OLD and self.source == len(self.old):
            self.space = self.before = None
            return
        if self.calm >= CALM and not self.asked:
            self._announce()
            return
        left = self._left()
        if not self.skip and left >= 2 and not self.source % 2 and not len(self.new) % 2:
            data = bytes((self.old if self.space == OLD else self.new)[self.source : self.source + min(left, 4)])
            found = reference.find(
                data,
                self.base + self.source + 4 & U32,
                base=self.base,
                old_len=len(self.old),
                aligned=not self.source % 4 and not len(self.new) % 4,
            )
            if found and self._reference(data[: found.size], found):
                return
        self._byte()

    def _announce(self) -> None:
        units = golomb(self.bits, SURE)
        room = (self.new_len - len(self.new)) // SURE_UNIT
        if units > room:
            raise _bad(f"{units} x {SURE_UNIT} bytes without a change with {self.new_len - len(self.new)} left")
        self.sure = units * SURE_UNIT
        self.asked = True

    def _byte(self) -> None:
        source = self.old if self.space == OLD else self.new
        value = source[self.source]
        if self.skip:
            self.skip -= 1
        if self.sure or not self._differs():
            self._copied(bytes([value]))
            return
        level = 0 if self.run == 0 else 1 if self.run < 4 else 2 if self.run < 32 else 3
        if self.bits.bit(index("end", 2 if self.space == NEW else self.changed, level)):
            if not self.wrote:
                raise _bad("a copy that ends before its first byte")
            self.before, self.space = self.space, None
            return
        self.new.append(value + self._change() & 0xFF)
        self.source += 1
        self.run = self.calm = 0
        self.changed = self.wrote = True
        self.asked = False

    def _odd(self) -> int:
        """The byte at the odd address of the half-word at the source, which has the operation code."""
        source = self.old if self.space == OLD else self.new
        return source[self.source | 1] if self.source | 1 < len(source) else 0

    def _differs(self) -> int:
        state = 2 if self.space == NEW else 1 if self.skip else 3 if self.changed else 0
        flag = index("flag", state, min(self.run.bit_length(), 7), len(self.new) % 2)
        return self.bits.mixed(flag, index("opcode", self.source % 2, self._odd() >> 3, self.run >= _RUN_KNOWN))

    def _change(self) -> int:
        operation = self._odd() >> 3
        if self.space == NEW or self.source % 2:
            kind = 0
        else:
            kind = 1 if operation in (9, 20, 21) else 2 if operation in (26, 27, 28) else 3
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
        pc = self.base + len(self.new) + 4 & U32
        if self._as_guessed(found, guess):
            self._copied(reference.write(data, found.kind, pc, found.target + guess.first & U32) or data)
            return True
        missed = index("missed", found.kind)
        if self.bits.bit(missed):
            moved, written = self._moved if found.is_local or found.kind == reference.BL else 0, data
        elif self.bits.bit(missed + 1):
            self.calm, self.asked = CALM // 2, False
            self.skip = found.size
            return False
        else:
            moved = guess.second if self.bits.bit(missed + 2) else guess.first + self._told(found)
            written = self._retargeted(data, found, moved)
        if self.space == OLD:
            self.moves.put(name, moved)
        self.calm, self.asked = CALM // 2, False
        self._copied(written)
        return True

    def _told(self, found: Reference) -> int:
        """How far beyond the first guess the target is, in bytes."""
        model = {reference.BL: BRANCH, reference.CODE: POINTER, reference.DATA: POINTER}.get(found.kind, OTHER)
        return found.unit * signed(self.bits, model)

    def _retargeted(self, data: bytes, found: Reference, moved: int) -> bytes:
        target = found.target + moved & U32
        written = reference.write(data, found.kind, self.base + len(self.new) + 4 & U32, target)
        if written is None:
            raise _bad(f"reference of kind {found.kind} to {target:#x}, out of its reach")
        return written

    def _key(self, found: Reference) -> int:
        if found.kind == reference.DATA:
            return key(found.target, DATA)
        if found.kind in (reference.SMALL, reference.MOVW):
            return key(found.target, SMALL)
        return key(found.target - self.base & U32)

    def _guess(self, found: Reference, name: int) -> Guess:
        if self.space == NEW:
            moved = self._moved if found.is_local else 0
            return Guess(moved, moved, 3)
        guess = self.moves.find(name, (key(self.source), self._moved) if is_code(name) else None)
        if is_code(name) and not found.is_local and guess.sureness and guess.first != guess.second:
            place = (found.target & ~1) - self.base & U32
            if self._alike(place, guess.first) is False and self._alike(place, guess.second):
                guess = Guess(guess.second, guess.first, 2)
        if found.kind == reference.BL:
            guess = Guess(guess.first & ~1, guess.second & ~1, guess.sureness)
        return guess

    def _alike(self, place: int, moved: int) -> bool | None:
        """Whether NEW begins at *place* + *moved* like OLD at *place*; None when that cannot be seen."""
        there = place + moved & U32
        if place + 4 > len(self.old) or there + 4 > len(self.new):
            return None
        return self.old[place : place + 4] == self.new[there : there + 4]

    def _as_guessed(self, found: Reference, guess: Guess) -> bool:
        if self.sure:
            return True
        misses = self.misses[found.kind]
        if self.space == NEW:
            hit = self.bits.bit(index("ref_new", found.kind))
        else:
            hit = self.bits.bit(index("ref", found.kind, guess.sureness, misses != 0))
        self.misses[found.kind] = (misses << 1 | (not hit)) & _RECENT
        return bool(hit)


def decode(old: bytes, stream: bytes, new_len: int) -> bytes:
    """NEW, *new_len* bytes, made from *old* (empty: from nothing) by *stream*.

    Raises FormatError when a step breaks a rule, or bytes of the stream are left unread.  A wrong OLD is not
    always noticed here: compare the hash of the result.
    """
    bits = RangeDecoder(stream)
    decoder = Decoder(bits, old, new_len)
    while len(decoder.new) < new_len:
        decoder.step()
    if bits.unread:
        raise _bad(f"{bits.unread} bytes left after the end of NEW")
    return bytes(decoder.new)
