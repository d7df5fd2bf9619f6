"""Interrupts and events from pins, and from blocks that go on while the core is in Stop."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.twin.blocks.selection import Selection
from spboot.twin.die import Die

_REGISTER: Final = re.compile(r"(?:CPU0_)?(IMR|EMR|RTSR|FTSR|SWIER|PR|RPR|FPR)(\d)")
_OTHER_CORE: Final = re.compile(r"CPU1_PR\d")
_SECURE: Final = re.compile(r"SECCFGR\d")
_VECTOR: Final = re.compile(r"EXTI(\d+)(?:_(\d+))?")
_PIN_LINES: Final = 16
_WORD: Final = 32


def _lines(bits: int) -> Iterator[int]:
    while bits:
        yield (bits & -bits).bit_length() - 1
        bits &= bits - 1


class Exti(
    Selection,
    ips=(
        *("exti_v1", "exti_g0", "exti_h5", "exti_h7", "exti_h7rm0399", "exti_l5", "exti_u5", "exti_w"),
        "exti_wle",
    ),
):
    """RM0351 14.3 and 14.5, RM0444 13.3 and 13.5.

    A line of the configurable type has an edge detector, a software trigger and a pending bit, or one for each edge;
    what is pending and not masked raises its interrupt.  A line of the direct type belongs to a block that raises its
    interrupt itself; here it has a mask alone, which says whether it may end a Stop."""

    STATE: ClassVar[tuple[str, ...]] = ("_armed", "_levels", "_inputs")

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        self._wiring = die.chip.of_family.exti
        self._at: dict[tuple[str, int], str] = {}
        self._armed = 0
        """Pin lines with an edge chosen."""
        self._levels: dict[int, int] = {}
        self._inputs: set[int] = set()
        """Lines of blocks that are up."""
        handlers: dict[str, Callable[[str, int, int], None]] = {
            **{"IMR": self._write_mask, "RTSR": self._write_edges, "FTSR": self._write_edges},
            **{"SWIER": self._trigger, "PR": self._clear, "RPR": self._clear, "FPR": self._clear},
        }
        for offset, name in list(self.names.items()):
            if _SECURE.fullmatch(name) or _OTHER_CORE.fullmatch(name):
                self._writers[offset] = partial(self._refuse_other, name)
            if (found := _REGISTER.fullmatch(name)) is None:
                continue
            kind, word = found[1], int(found[2])
            if word >= len(self._wiring.masks):
                del self.names[offset]  # of relatives with more lines
                continue
            self._at[kind, word] = name
            if kind in ("RTSR", "FTSR", "SWIER"):
                self.masks[name] = self._wiring.edges[word]
            if kind in handlers:
                self._writers[offset] = partial(handlers[kind], kind, word)
        self._latches = ("PR",) if ("PR", 0) in self._at else ("RPR", "FPR")
        self._keeps_trigger = ("PR", 0) in self._at and self.names.get(0) == self._at["IMR", 0]
        self._vectors = self._find_vectors()

    def _find_vectors(self) -> list[tuple[str, int, int]]:
        """(vector, its number, its lines)."""
        found = []
        for name, number in self.facts.interrupts.items():
            if match := _VECTOR.fullmatch(name):
                first, last = sorted((int(match[1]), int(match[2] or match[1])))
                found.append((name, number, (1 << last + 1) - (1 << first)))
        for source, line in self._wiring.lines.items():
            block, _, signal = source.partition(".")
            facts = self.die.chip.blocks.get(block)
            if facts is not None and signal in facts.interrupts and self.drives(line):
                found.append((source, facts.interrupts[signal], 1 << line))
        return found

    def reset(self) -> None:
        super().reset()
        for (kind, word), name in self._at.items():
            if kind == "IMR":
                self.registers[name] = self._wiring.masks[word]
        self._armed = 0
        self._levels = {}
        self._inputs = set()

    # what comes in

    def sample(self) -> None:
        """Some pin may have changed: look at those whose edges count."""
        if not self._armed:
            return
        for line in _lines(self._armed):
            level = self._level(line)
            if level != self._levels[line]:
                self._levels[line] = level
                self._edge(line, rising=bool(level))

    def _level(self, line: int) -> int:
        block = self if self.selects else self.die.block("SYSCFG", Selection)
        return self.die.pins.digital(f"P{block.port(line)[-1]}{line}")

    def line_of(self, block: str, signal: str) -> int | None:
        """The line that *signal* of *block* drives, None where it has none."""
        lines = self._wiring.lines
        return lines.get(f"{block}.{signal}", lines.get(block))

    def drives(self, line: int) -> bool:
        """Whether *line* is of the configurable type: its block raises no interrupt but through it."""
        return bool(self._wiring.edges[line // _WORD] >> line % _WORD & 1)

    def drive(self, line: int, level: bool) -> None:
        """A block sets its line of the configurable type to *level*."""
        before = line in self._inputs
        if level:
            self._inputs.add(line)
        else:
            self._inputs.discard(line)
        if before != level:
            self._edge(line, rising=level)

    def unmasked(self, line: int) -> bool:
        """Whether the interrupt mask lets *line* through."""
        return bool(self._get("IMR", line // _WORD) >> line % _WORD & 1)

    def _edge(self, line: int, *, rising: bool) -> None:
        word, bit = line // _WORD, 1 << line % _WORD
        if self._get("RTSR" if rising else "FTSR", word) & bit:
            self._request(word, bit, rising=rising)

    def _request(self, word: int, bits: int, *, rising: bool) -> None:
        if self._get("EMR", word) & bits:
            self.die.cpu.send_event()
        latch = self._at[self._latches[0 if rising else -1], word]
        self.registers[latch] |= bits & self._get("IMR", word)
        self._update()

    def _get(self, kind: str, word: int) -> int:
        name = self._at.get((kind, word))
        return self.registers[name] if name else 0

    def _pending(self, word: int) -> int:
        pending = 0
        for latch in self._latches:
            pending |= self._get(latch, word)
        return pending & self._get("IMR", word)

    def _update(self) -> None:
        pending = sum(self._pending(word) << _WORD * word for word in range(len(self._wiring.masks)))
        for name, number, lines in self._vectors:
            self.die.nvic.set_line(number, bool(pending & lines), (self.name, name))

    # registers

    def _write_mask(self, kind: str, word: int, value: int) -> None:
        self.registers[self._at[kind, word]] = value
        self._update()

    def _write_edges(self, kind: str, word: int, value: int) -> None:
        self.sample()
        name = self._at[kind, word]
        self.registers[name] = value & self.masks[name]
        self._armed = (self._get("RTSR", 0) | self._get("FTSR", 0)) & ((1 << _PIN_LINES) - 1)
        self._levels = {line: self._level(line) for line in _lines(self._armed)}

    def _trigger(self, kind: str, word: int, value: int) -> None:
        name = self._at[kind, word]
        bits, known = value & self.masks[name] & ~self.registers[name], 0
        for _, _, lines in self._vectors:
            known |= lines >> _WORD * word
        if unknown := bits & ~known:
            line = _WORD * word + next(_lines(unknown))
            self.die.refuse(f"{self.name}_{name} triggers line {line}", "the twin does not model what drives it")
        if self._keeps_trigger:  # until its pending bit is cleared (RM0351 14.5.5)
            self.registers[name] |= bits & self._get("IMR", word)
        self._request(word, bits, rising=True)

    def _clear(self, kind: str, word: int, value: int) -> None:
        self.registers[self._at[kind, word]] &= ~value
        self.registers[self._at["SWIER", word]] &= ~value
        self._update()

    def _refuse_other(self, name: str, value: int) -> None:
        if value:
            self.die.refuse(f"{self.name}_{name} = {value:#x}", "it is of the secure side or of the other core")
