"""Recognises, in the lines that a device prints, what became of a file that it was sent.

Accepted: `version 1.2.3 received, ... verified`, `key 1 received, verified`, `update: complete`, `installed`,
          `patch: stage verified, ... code 1: ...`
Refused:  `refused, code N: ...`, `transfer ended: ...`, `update: not done ...`, `patch: ... code N: ...`, and what the
          bootloader says of an install that failed.
The last one counts.  docs/application.md asks applications to say `update: complete` or `update: not done`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

STAMP: Final = re.compile(r"^\[ *\d+\.\d+\] *")
ACCEPTED: Final = re.compile(
    r"(?:version|key) \S+ received, .*verified|update: complete|^installed$|patch: stage verified, .*code 1: "
)
REFUSED: Final = re.compile(
    r"refused, code \d+: |transfer ended: |update: not done|patch: .*code (?!1: )\d+: "
    r"|^install failed|^(?:the )?image in SLOT1 (?:was )?refused"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a file, with the device's own words."""

    accepted: bool
    words: tuple[str, ...]


class Hearing:
    """Reads the device's text, in pieces of any size, for a verdict."""

    def __init__(self) -> None:
        self._rest = ""
        self._so_far: Verdict | None = None

    def feed(self, text: bytes) -> None:
        """Take the next bytes; lines may be divided anywhere."""
        *lines, self._rest = (self._rest + text.decode("latin-1")).split("\n")
        for line in lines:
            self._so_far = _after(self._so_far, line)

    @property
    def whole(self) -> bool:
        """Whether a line that gave a verdict has ended."""
        return self._so_far is not None

    @property
    def verdict(self) -> Verdict | None:
        """The verdict so far; None while the device has not said anything that is one."""
        return _after(self._so_far, self._rest)


def _after(before: Verdict | None, line: str) -> Verdict | None:
    """The verdict after *line*, when it was *before* until then."""
    words = STAMP.sub("", "".join(char for char in line if char.isprintable()).strip())
    accepted = bool(ACCEPTED.search(words))
    if not accepted and not REFUSED.search(words):
        return before
    kept = before.words if before is not None and before.accepted == accepted else ()
    return Verdict(accepted=accepted, words=(*kept, words))
