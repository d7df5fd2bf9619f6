"""Whether git knows a secret file: then everybody who has the repository has it, for ever."""

from __future__ import annotations

import os
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path


def in_work_tree(folder: Path) -> bool:
    """Whether *folder*, which need not exist yet, lies inside a git work tree.  Starts no program."""
    place = Path(os.path.realpath(folder))
    return any((parent / ".git").exists() for parent in (place, *place.parents))


def tracked(paths: Iterable[Path]) -> list[Path]:
    """Those of *paths* that git tracks.  None where there is no git, or no repository, or git does not say.

    One `git ls-files` for each folder, and only inside a work tree."""
    folders: dict[Path, list[Path]] = defaultdict(list)
    for path in paths:
        folders[Path(os.path.realpath(path)).parent].append(path)
    return [path for folder, files in folders.items() if in_work_tree(folder) for path in _listed(folder, files)]


def _listed(folder: Path, files: list[Path]) -> list[Path]:
    names = {Path(os.path.realpath(path)).name: path for path in files}
    command = ["git", "--literal-pathspecs", "-C", str(folder), "ls-files", "-z", "--", *names]
    # Inside a hook of git these name another repository or index.
    environment = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError:
        return []
    return [names[found] for found in os.fsdecode(done.stdout).split("\0") if found in names]
