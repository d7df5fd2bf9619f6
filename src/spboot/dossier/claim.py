"""A claim, and the check that it comes out of: there is no claim without a run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from spboot.errors import ExtraError, SpbootError
from spboot.link.verdict import STAMP

_PLACE: Final = re.compile(r"(?:[A-Za-z]:)?[^\s:'\"(]*[/\\](?=[^\s/\\])")
"""A folder in front of a file's name: a dossier tells of no machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What a run was made with: a file of a release, or bytes that were made for the run."""

    name: str
    sha256: str

    @classmethod
    def of(cls, name: str, data: bytes) -> Input:
        """*data*, called *name*."""
        return cls(name=name, sha256=hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a run.  *found*: what shows it, where possible in the device's own words."""

    holds: bool
    found: tuple[str, ...]
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What can be run.  *act* runs it; a SpbootError of it is a claim that failed."""

    group: str
    """Checks that are left out together."""
    id: str
    sentence: str
    """The claim, in words that a conformity file can use."""
    run: str
    """What is run, in words."""
    inputs: tuple[Input, ...]
    act: Callable[[], Outcome]

    def claim(self) -> Claim:
        """Run it."""
        try:
            outcome = self.act()
        except ExtraError:
            raise  # nothing was run
        except SpbootError as error:
            outcome = Outcome(holds=False, found=(_PLACE.sub("", str(error)),))
        return Claim(
            group=self.group,
            id=self.id,
            sentence=self.sentence,
            run=self.run,
            inputs=self.inputs,
            holds=outcome.holds,
            found=outcome.found,
            counts=outcome.counts,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a run on this release has shown, or failed to show."""

    group: str
    id: str
    sentence: str
    run: str
    inputs: tuple[Input, ...]
    holds: bool
    found: tuple[str, ...]
    counts: dict[str, int]

    def facts(self) -> dict[str, Any]:
        """By name, for JSON."""
        return {
            "id": self.id,
            "result": "holds" if self.holds else "failed",
            "claim": self.sentence,
            "run": self.run,
            "inputs": [{"name": each.name, "sha256": each.sha256} for each in self.inputs],
            "found": list(self.found),
            "counts": self.counts,
        }


def lines_with(heard: bytes | bytearray, *words: str) -> tuple[str, ...]:
    """The lines of what a bootloader said that have one of *words* in them, without their times; what an application
    says after its start is none of them."""
    text = bytes(heard).decode("latin-1").replace("\r", "")
    found = []
    for line in (STAMP.sub("", line).strip() for line in text.split("\n")):
        if any(word in line for word in words):
            found.append(line)
        if line.startswith("starting "):
            break
    return tuple(found)
