"""Releases by their tags, each with its own sources, and what the command of one makes."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
TAG: Final = re.compile(r"v[1-9]\d*\.\d+\.\d+")
NONE_YET: Final = "no release yet: `git tag --list 'v[1-9]*'` names none; upgrade tests begin with v1.0.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """A tree of sources, of a release or of today, whose `spboot` command is run."""

    name: str
    folder: Path

    def spboot(self, *words: str | Path) -> None:
        """Run the command of these sources.  Raises AssertionError, with what it said, when it fails."""
        done = subprocess.run(
            [sys.executable, "-c", "from spboot.cli import main; main()", *map(str, words)],
            env={**os.environ, "PYTHONPATH": str(self.folder / "src")},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        said = f"{done.stdout}\n{done.stderr}".strip()
        assert done.returncode == 0, (
            f"{self.name}: spboot {' '.join(map(str, words))} ended with {done.returncode}: {said}"
        )


TODAY: Final = Sources(name="today", folder=ROOT)


def tags(repository: Path = ROOT) -> list[str]:
    """Tags of all releases from 1.0.0 on, the oldest first; none where there is no git or no repository."""
    try:
        told = subprocess.run(
            ["git", "tag", "--list", "v[1-9]*", "--sort=version:refname"],
            cwd=repository,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    return [tag for tag in told.split() if TAG.fullmatch(tag)]


def unpacked(tag: str, folder: Path, repository: Path = ROOT) -> Sources:
    """The sources of release *tag*, out of the repository into *folder*."""
    packed = subprocess.run(
        ["git", "archive", "--format=tar", tag], cwd=repository, capture_output=True, check=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return Sources(name=tag, folder=folder)
