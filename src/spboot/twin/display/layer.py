"""One layer of a display: pixels of a format in memory, mixed with what is below them (RM0090 16.4.2).

The manual has factors of 255ths and one example, 240 of 128 over 48 gives 123: results are rounded down here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from spboot.errors import TwinError

Reader = Callable[[int, int], bytes]
"""Address and size -> what is there."""
_FULL: Final = 255 * 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How a pixel is kept.  *bits*: alpha, red, green and blue; with *index*, alpha and an entry of the CLUT."""

    name: str
    size: int
    bits: tuple[int, ...]
    index: bool = False

    def split(self, value: int) -> tuple[int, ...]:
        """The parts of a pixel with eight bits each: what lacks some gets its highest ones again (RM0090 16.4.2)."""
        parts = []
        for width in reversed(self.bits):
            part, value = value & ((1 << width) - 1), value >> width
            while 0 < width < 8:
                part, width = part << width | part, 2 * width
            parts.append(part >> width - 8 if width else 255)
        return tuple(reversed(parts))


FORMATS: Final = (
    Format(name="ARGB8888", size=4, bits=(8, 8, 8, 8)),
    Format(name="RGB888", size=3, bits=(0, 8, 8, 8)),
    Format(name="RGB565", size=2, bits=(0, 5, 6, 5)),
    Format(name="ARGB1555", size=2, bits=(1, 5, 5, 5)),
    Format(name="ARGB4444", size=2, bits=(4, 4, 4, 4)),
    Format(name="L8", size=1, bits=(0, 8), index=True),
    Format(name="AL44", size=1, bits=(4, 4), index=True),
    Format(name="AL88", size=2, bits=(8, 8), index=True),
)
"""PF of LxPFCR -> what it means (RM0090 16.7.18)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer as it is shown.  Colours are 0xAARRGGBB; *columns* and *lines* are those of the display."""

    name: str
    shown: bool
    format: Format
    columns: range
    lines: range
    address: int
    pitch: int
    default: int
    """The colour outside of its window, and everywhere while it is off."""
    constant: int
    """CONSTA: alpha of all of it, 0 .. 255."""
    own: bool
    """Whether alpha of a pixel counts for itself,"""
    below: bool
    """and for what is below it."""
    key: int | None
    """A colour 0xRRGGBB that is transparent."""
    clut: Mapping[int, int]

    def over(self, picture: list[int], width: int, read: Reader) -> None:
        """Mix it into *picture*, 0xRRGGBB line by line.  Raises TwinError; what *read* raises."""
        mixed: dict[int, int] = {}
        for y in range(len(picture) // width):
            line = [self.default] * width
            if self.shown and y in self.lines:
                start = self.address + (y - self.lines.start) * self.pitch
                line[self.columns.start : self.columns.stop] = self._line(
                    read(start, len(self.columns) * self.format.size)
                )
            for x, colour in enumerate(line, y * width):
                key = colour << 24 | picture[x]
                found = mixed.get(key)
                if found is None:
                    found = mixed[key] = self._mix(colour, picture[x])
                picture[x] = found

    def _line(self, data: bytes) -> list[int]:
        size, known = self.format.size, {}
        values = [int.from_bytes(data[at : at + size], "little") for at in range(0, len(data), size)]
        for value in set(values):
            known[value] = self._colour(value)
        return [known[value] for value in values]

    def _colour(self, value: int) -> int:
        parts = self.format.split(value)
        if self.format.index:
            if parts[1] not in self.clut:
                raise TwinError(
                    f"{self.name} shows entry {parts[1]:#x} of its CLUT, which was never loaded: write its CLUTWR first"
                )
            return parts[0] << 24 | self.clut[parts[1]]
        alpha, red, green, blue = parts
        colour = red << 16 | green << 8 | blue
        return 0 if colour == self.key else alpha << 24 | colour

    def _mix(self, colour: int, below: int) -> int:
        pixel = (colour >> 24) * self.constant
        plain = 255 * self.constant
        ours, theirs = pixel if self.own else plain, _FULL - (pixel if self.below else plain)
        result = 0
        for shift in (16, 8, 0):
            channel = (ours * (colour >> shift & 255) + theirs * (below >> shift & 255)) // _FULL
            result = result << 8 | min(channel, 255)
        return result
