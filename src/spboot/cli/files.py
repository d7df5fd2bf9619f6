"""Files that commands read and write, and their names in what is said about them."""

from __future__ import annotations

from pathlib import Path

from spboot.disk import read, write
from spboot.errors import SpbootError, named

__all__ = ["check_output", "named", "read", "write"]


def check_output(path: Path, *inputs: Path) -> None:
    """Refuse, before any work, an output that is one of *inputs*, no plain file, or in no folder: SpbootError."""
    parent = path.absolute().parent
    if parent.exists() and not parent.is_dir():
        raise SpbootError(f"{path}: {parent} is a file, expected a folder: choose another output")
    if not parent.is_dir():
        raise SpbootError(f"{path}: there is no folder {parent}: make it first")
    if path.is_dir():
        raise SpbootError(f"{path} exists and is not a file but a folder: add a file name, or choose another output")
    if not path.exists():
        return
    if not path.is_file():
        raise SpbootError(f"{path} exists and is not a file: choose another output")
    for source in inputs:
        if source.exists() and source.samefile(path):
            raise SpbootError(f"{path} is an input of this command: choose another output")
