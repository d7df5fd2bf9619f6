"""Images of the crypto code, compiled once a session and only when a test asks for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from .images import Compiler, build

ImageFactory = Callable[[Compiler, str], Path]


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> ImageFactory:
    """`image(compiler, core)` is the path of a linked ELF."""

    @cache
    def make(compiler: Compiler, core: str) -> Path:
        return build(tmp_path_factory.mktemp(f"{compiler}-{core}"), compiler, core)

    return make
