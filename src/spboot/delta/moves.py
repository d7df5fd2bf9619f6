"""The map of moves: where code and data of OLD went in NEW, as far as the decoder has learnt.

Source: spec/patch-stream.md, "Map of moves".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spboot.formats.spec import spec

MOVES: Final[int] = spec()["delta"]["moves"]

_U32: Final = 0xFFFFFFFF
_KINDS: Final = 22  # a key is a place of so many bits, below the bits that tell what kind of place it is
_PLACES: Final = (1 << _KINDS) - 1
_DISPLACEMENT: Final = 24  # bits of a displacement
_CLOCK_END: Final = 255
_CLOSE: Final = 512

CODE: Final = 0
DATA: Final = 1
SMALL: Final = 2
REST: Final = 3
REST_UNIT: Final = 4  # places of REST are counted in so many bytes, before key() halves them


def key(place: int, kind: int = CODE) -> int:
    """Key of the place *place* bytes behind the base, which is CODE, DATA, SMALL or REST."""
    return kind << _KINDS | place >> 1 & _PLACES


def space_of(key: int) -> int:
    """CODE, DATA, SMALL or REST."""
    return key >> _KINDS


def is_code(key: int) -> bool:
    """Whether *key* is that of a place in code."""
    return key >> _KINDS == CODE


def _signed(displacement: int) -> int:
    """The low 24 bits of *displacement* as a signed number."""
    displacement &= (1 << _DISPLACEMENT) - 1
    return displacement - (displacement >> (_DISPLACEMENT - 1) << _DISPLACEMENT)


@dataclass(slots=True)
class Move:
    """One entry: what lay at *key* in OLD is *displacement* bytes higher in NEW.  *age*: the clock at its last use."""

    key: int
    displacement: int
    age: int


@dataclass(frozen=True, slots=True)
class Guess:
    """Where a target may have gone: two displacements, the likelier first, and how sure that is (0 most, 3 least)."""

    first: int
    second: int
    sureness: int


class Moves:
    """The map, of at most MOVES entries."""

    def __init__(self) -> None:
        self._moves: list[Move] = []  # in the order of their keys: of two that are equally near the lowest counts
        self._clock = 0

    def __len__(self) -> int:
        return len(self._moves)

    def find(self, key: int, here: tuple[int, int] | None = None) -> Guess:
        """The guess for *key*.  *here*: key and displacement of the copy itself, which counts like a move."""
        kin = [move for move in self._moves if move.key >> _KINDS == key >> _KINDS]
        if here:
            kin.append(Move(here[0], _signed(here[1]), 0))  # max and min take the first of two with the same key
        below = max((move for move in kin if move.key <= key), key=lambda move: move.key, default=None)
        above = min((move for move in kin if move.key > key), key=lambda move: move.key, default=None)
        if below is None and above is None:
            return Guess(0, 0, 3)
        near, far = below, above
        if near is None or (far is not None and far.key - key < key - near.key):
            near, far = far, near
        assert near is not None
        near.age = self._clock
        second = far.displacement if far else 0
        if near.key == key:
            sureness = 0
        elif far and near.displacement == second:
            sureness = 1
        else:
            sureness = 2 if abs(near.key - key) < _CLOSE else 3
        return Guess(near.displacement, second, sureness)

    def put(self, key: int, displacement: int) -> None:
        """Learn that what lay at *key* went *displacement* bytes up; the oldest move makes room."""
        self._clock += 1
        if self._clock == _CLOCK_END:
            self._clock = _CLOCK_END // 2
            for move in self._moves:
                move.age //= 2
        kept = [move for move in self._moves if move.key != key]
        if len(kept) == MOVES:
            kept.remove(min(kept, key=lambda move: move.age))
        self._moves = sorted([*kept, Move(key, _signed(displacement), self._clock)], key=lambda move: move.key)

    def nearest(self, place: int, otherwise: int) -> int:
        """Displacement of the move into code that ended nearest to *place* of NEW; *otherwise* when there is none."""
        code = [move for move in self._moves if is_code(move.key)]
        if not code:
            return otherwise
        return min(code, key=lambda move: abs((2 * move.key + move.displacement & _U32) - place)).displacement
