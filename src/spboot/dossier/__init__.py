"""A dossier of a release: claims, each bound to a run on its very files, in words that a conformity file can use.

A claim comes out of a run and of nothing else: what is left out is not claimed, what fails is claimed as failed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from spboot.boards import Board
from spboot.builder.bootloader import boot_version
from spboot.dossier import papers, refusals, starts, updates
from spboot.dossier.claim import Check, Claim
from spboot.dossier.document import Dossier
from spboot.dossier.subject import Subject
from spboot.keys import Keys
from spboot.releases import Release

__all__ = ["GROUPS", "Claim", "Dossier", "examine"]

GROUPS: Final = (
    "starts",
    "secure-boot",
    "signatures",
    "updates",
    "cuts",
    "refusals",
    "keys",
    "protection",
    "sbom",
    "reproducible",
)
"""What can be left out."""
POINTS: Final = 12
"""Power cuts in a sweep, where no other number is asked for."""


def examine(
    release: Release,
    board: Board,
    keys: Keys,
    *,
    bootloader: str | os.PathLike[str] | None = None,
    without: Iterable[str] = (),
    points: int = POINTS,
    tell: Callable[[Claim], None] = lambda _: None,
) -> Dossier:
    """Run all that can be run on *release*, but what is in a group of *without*, and claim what that has shown.

    *bootloader*: the folder of `spboot build`, for the bill of materials and a second making.  *points*: power cuts in
    each sweep.  Without the signing key in *keys* what it has to sign is not run; three files at most are signed, in
    memory.  *tell* gets each claim as its run ends.  Raises AuthenticationError: a file of the release was changed;
    BuildError, BoardError: what does not belong to it.

    >>> made = examine(release, board, keys, bootloader="boot", without=["cuts", "reproducible"])
    >>> [each.id for each in made.claims if not each.holds]
    []
    """
    subject = Subject(
        release=release, board=board, keys=keys, bootloader=None if bootloader is None else Path(bootloader)
    )
    left_out = set(without)
    claims = []
    for check in _checks(subject, points, left_out):
        if check.group not in left_out:
            claims.append(check.claim())
            tell(claims[-1])
    gaps = [*(f"Left out when this dossier was made: {name}." for name in GROUPS if name in left_out), *subject.gaps]
    return Dossier(release=release, spboot=str(boot_version()), claims=tuple(claims), gaps=tuple(gaps))


def _checks(subject: Subject, points: int, left_out: set[str]) -> Iterator[Check]:
    """Those of groups in *left_out*, too, but where a signer would be asked for nothing."""
    yield from starts.checks(subject)
    yield from updates.checks(subject, points)
    if "refusals" not in left_out:
        yield from refusals.checks(subject)
    yield from papers.checks(subject)
