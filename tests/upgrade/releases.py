"""Releases by their tags or recorded commits, each with its own sources, and what the command of one makes."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tarfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spboot.version import Version

ROOT: Final = Path(__file__).resolve().parents[2]
TAG: Final = re.compile(r"v[1-9]\d*\.\d+\.\d+")
NONE_YET: Final = "no release here: `git tag --list 'v[1-9]*'` names none, nor has this clone a commit of releases.toml"


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


def releases(repository: Path = ROOT) -> list[str]:
    """All releases from 1.0.0 on by their tags, the oldest first: those that are tagged, and those of releases.toml
    whose commits are there; none where there is no git or no repository."""
    try:
        tags = _git(repository, "tag", "--list", "v[1-9]*").split()
    except (OSError, subprocess.CalledProcessError):
        return []
    known = {tag for tag, commit in _recorded(repository).items() if _has(repository, commit)}
    return sorted(known | set(filter(TAG.fullmatch, tags)), key=lambda tag: Version.parse(tag[1:]))


def _recorded(repository: Path) -> dict[str, str]:
    return tomllib.loads((repository / "tests" / "upgrade" / "releases.toml").read_text(encoding="utf-8"))


def _has(repository: Path, revision: str) -> bool:
    """Whether it is there: a clone may have a part of the history alone."""
    try:
        _git(repository, "cat-file", "-e", f"{revision}^{{commit}}")
    except subprocess.CalledProcessError:
        return False
    return True


def _git(repository: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=repository, capture_output=True, text=True, check=True).stdout


def unpacked(tag: str, folder: Path, repository: Path = ROOT) -> Sources:
    """The sources of release *tag*, out of the repository into *folder*."""
    revision = tag if _has(repository, tag) else _recorded(repository)[tag]
    packed = subprocess.run(
        ["git", "archive", "--format=tar", revision], cwd=repository, capture_output=True, check=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return Sources(name=tag, folder=folder)
