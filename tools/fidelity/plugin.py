"""A plugin of pytest: which registers the tests of this process access, written down at its end."""

from __future__ import annotations

import contextlib
import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest

from spboot.twin.block import Block
from tools.fidelity.recorder import key, recording

FOLDER_VARIABLE: Final = "SPBOOT_FIDELITY_FOLDER"
"""Names the folder where each process of the tests leaves what it accessed."""

_found: dict[str, set[str]] = defaultdict(set)
_open = contextlib.ExitStack()


def _note(block: Block, register: str) -> None:
    _found[key(block)].add(register)


def pytest_configure(config: pytest.Config) -> None:
    _open.enter_context(recording(_note))


def pytest_unconfigure(config: pytest.Config) -> None:
    _open.close()
    path = Path(os.environ[FOLDER_VARIABLE]) / f"{os.getpid()}.json"
    path.write_text(json.dumps({ip: sorted(registers) for ip, registers in _found.items()}), encoding="ascii")
