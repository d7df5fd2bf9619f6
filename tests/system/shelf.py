"""What compilers make for tests is made once a run, for all its workers: on a shelf, a folder named in the environment
(tests/conftest.py makes it).  Without one, as in a script, each workshop has its own."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

VARIABLE: Final = "SPBOOT_TEST_SHELF"


class Shelf:
    """The part of it that belongs to one board and compiler."""

    def __init__(self, name: str, otherwise: Path) -> None:
        """*name* tells its contents from all others; *otherwise*: the folder where no run shares one."""
        root = os.environ.get(VARIABLE)
        self.folder = Path(root) / name if root else otherwise / "shelf"
        self.folder.mkdir(parents=True, exist_ok=True)

    def once(self, key: object, make: Callable[[], Any]) -> Any:
        """What *make* returned, by whichever worker asked first for *key*; others wait for it."""
        path = self.folder / f"{hashlib.sha256(repr(key).encode()).hexdigest()}.pickle"
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                return pickle.loads(path.read_bytes())
            made = make()
            path.write_bytes(pickle.dumps(made))
            return made
