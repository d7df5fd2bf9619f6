"""How the twin says no: what silicon would not go on with is an error, what it bears against the manual a warning."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, NoReturn

from spboot.errors import TwinError
from spboot.twin.core import Core
from spboot.twin.measure.symbols import Symbols
from spboot.twin.timeline import PS_PER_S, Timeline

Strict = Literal["all", "bootloader", "none"]
"""Whose code is stopped where it does what the manual forbids and silicon bears."""
STRICT: Final[tuple[Strict, ...]] = ("all", "bootloader", "none")


class Refusals:
    """What a machine has of them: errors and warnings with the place of the code that they are about."""

    core: Core
    timeline: Timeline

    def __init__(self) -> None:
        self._symbols: Symbols | None = None
        self._forbidden: list[tuple[str, str, str, int]] = []
        self.strict: Strict = "all"
        self.bootloader = range(0)
        """Addresses of the code that "bootloader" means."""
        self.warnings: list[str] = []
        """What code that is not strict did against the manual: each thing at each place once, in their order."""

    def stop(self, error: Exception) -> None:
        """Raise *error* from `run`, after the current instruction."""
        raise NotImplementedError

    def symbols(self, elf: Path | str) -> None:
        """Name addresses in messages by the symbols of *elf*."""
        self._symbols = Symbols(Path(elf))

    def where(self, address: int) -> str:
        """An address in words."""
        name = self._symbols.name(address) if self._symbols else None
        return f"PC {address:#010x} ({name})" if name else f"PC {address:#010x}"

    def refuse(self, found: str, advice: str) -> NoReturn:
        """Raise an error that tells the firmware developer what, where, and what to do."""
        raise TwinError(self._sentence(found, advice))

    def refuse_later(self, found: str, advice: str) -> None:
        """The same, from `run`, after the current instruction."""
        self.stop(TwinError(self._sentence(found, advice)))

    def forbid(self, found: str, advice: str) -> None:
        """The manual forbids it and silicon goes on: judged after the current instruction."""
        self._note(found, advice, "Silicon bears it, the manual forbids it")

    def doubt(self, found: str, advice: str) -> None:
        """It may be right, and the twin has not what would tell: judged like what is forbidden."""
        self._note(found, advice, "It may be right, which the twin cannot tell")

    def _note(self, found: str, advice: str, why: str) -> None:
        self._forbidden.append((found, advice, why, self.core.pc))
        self.core.end_slice()

    def judge(self) -> None:
        """Stop strict code that did what is forbidden, and warn other code, once for each thing at each place."""
        while self._forbidden:
            found, advice, why, pc = self._forbidden.pop(0)
            if self.strict == "all" or (self.strict == "bootloader" and pc in self.bootloader):
                self.stop(TwinError(self._sentence(found, advice, pc)))
                continue
            sentence = f"{found}; at {self.where(pc)}. {why}: {advice}"
            if sentence not in self.warnings:
                self.warnings.append(sentence)

    def _sentence(self, found: str, advice: str, pc: int | None = None) -> str:
        when = f"at {self.where(self.core.pc if pc is None else pc)}, {self.timeline.now / PS_PER_S:.6f} s"
        return f"{found}; {when}. {advice[0].upper()}{advice[1:]}."
