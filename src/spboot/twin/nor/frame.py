"""What a controller puts on the lines to a flash chip, from the fall of its select line to the rise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_DOUBLE: Final = "d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A part of a frame: *lines* that carry it, 0 where there is none, and whether each carries two bits a clock."""

    lines: int = 0
    double: bool = False

    def __str__(self) -> str:
        return f"{self.lines}{_DOUBLE if self.double and self.lines else ''}"

    def clocks(self, size: int) -> float:
        """How many clocks *size* bytes take."""
        return 8 * size / self.lines / (2 if self.double else 1) if self.lines else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One.  *op* is None without a command phase, and has *op_bytes*; *address* is that within all chips.

    *alternate* has the bytes between address and dummy clocks, *hertz* is the clock of the lines."""

    op: int | None
    op_bytes: int = 1
    command: Phase
    where: Phase = Phase()
    address: int = 0
    address_bytes: int = 0
    between: Phase = Phase()
    alternate: bytes = b""
    dummy: int = 0
    data: Phase = Phase()
    hertz: int

    @property
    def shape(self) -> str:
        """As "1-1-4"."""
        return f"{self.command}-{self.where}-{self.data}"

    @property
    def mode_clocks(self) -> int:
        """Clocks that the alternate bytes take."""
        return round(self.between.clocks(len(self.alternate)))

    @property
    def head_clocks(self) -> float:
        """Clocks before the data."""
        head = self.command.clocks(self.op_bytes) + self.where.clocks(self.address_bytes)
        return head + self.between.clocks(len(self.alternate)) + self.dummy

    def __str__(self) -> str:
        name = "a frame without a command" if self.op is None else f"command {self.op:#04x}"
        return f"{name} as {self.shape} with {self.address_bytes} bytes of address and {self.dummy} dummy clocks"
