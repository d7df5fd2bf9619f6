"""A dossier, and how it is written: Markdown for people, JSON for programs; without a time, a machine, a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from spboot.dossier import questions
from spboot.dossier.claim import Claim
from spboot.releases import Release

_FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """The claims about *release*, each with the run that it came out of.

    >>> made = examine(release, board, keys, bootloader="boot", points=3)
    >>> made.failed, made.claims[0].id
    ([], 'starts')
    """

    release: Release
    spboot: str
    claims: tuple[Claim, ...]
    gaps: tuple[str, ...]
    """What was not run, and why."""

    @property
    def failed(self) -> list[Claim]:
        """Claims that their runs did not show."""
        return [each for each in self.claims if not each.holds]

    @property
    def limits(self) -> list[str]:
        """What this dossier does not show."""
        return [*self.gaps, *questions.LIMITS]

    def json(self) -> str:
        """As JSON."""
        ids = [each.id for each in self.claims]
        asked = [
            {
                "standard": each.standard,
                "clause": each.clause,
                "question": each.words,
                "claims": questions.answers(each, ids),
            }
            for each in questions.ALL
        ]
        table: dict[str, Any] = {
            "format": _FORMAT,
            "spboot": self.spboot,
            "release": json.loads(self.release.text()),
            "claims": [each.facts() for each in self.claims],
            "questions": asked,
            "limitations": self.limits,
        }
        return json.dumps(table, indent=2, ensure_ascii=False) + "\n"

    def markdown(self) -> str:
        """As Markdown."""
        return "\n".join([*self._head(), *self._claims(), *self._questions(), *self._limits()]) + "\n"

    def _head(self) -> Iterator[str]:
        release, count = self.release, len(self.failed)
        yield f"# {release.name} {release.version} for {release.board}: what was run on this release"
        yield ""
        verdict = f"**{count} of {len(self.claims)} claims failed.**" if count else f"{len(self.claims)} claims hold."
        yield f"Product {release.product}, git {release.git or 'not known'}, spboot {self.spboot}. {verdict}"
        yield ""
        yield "| file | kind | bytes | SHA-256 |"
        yield "|---|---|---|---|"
        for item in release.items:
            yield f"| {item.file} | {item.kind} | {item.size:,} | `{item.sha256}` |"

    def _claims(self) -> Iterator[str]:
        yield from ("", "## Claims")
        for each in self.claims:
            yield from ("", f"### {each.id}: {'holds' if each.holds else 'FAILED'}", "", each.sentence, "")
            yield f"- Run: {each.run}."
            for given in each.inputs:
                yield f"- With: {given.name}, SHA-256 `{given.sha256}`"
            for words in each.found:
                yield f"- Found: `{' '.join(words.replace('`', chr(39)).split())}`"
            for name, number in each.counts.items():
                yield f"- Count: {name}: {number:,}"

    def _questions(self) -> Iterator[str]:
        ids = [each.id for each in self.claims]
        failed = {each.id for each in self.failed}
        yield from ("", "## Questions of standards", "")
        yield "The questions are in our words; a clause tells where a standard asks. Claims are evidence, not answers."
        yield from ("", "| standard | clause or topic | question | claims |", "|---|---|---|---|")
        for each in questions.ALL:
            found = questions.answers(each, ids)
            words = ", ".join(f"{name} (FAILED)" if name in failed else name for name in found)
            yield f"| {each.standard} | {each.clause} | {each.words} | {words or 'no run in this dossier'} |"

    def _limits(self) -> Iterator[str]:
        yield from ("", "## Limitations", "")
        for each in self.limits:
            yield f"- {each}"
