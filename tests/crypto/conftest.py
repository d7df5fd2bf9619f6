"""Images of the crypto code, compiled once a session and only when a test asks for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from spboot.twin.measure.callee import Core

from .images import Compiler, build
from .verifier import Crypto

ImageFactory = Callable[[Compiler, str], Path]
CryptoFor = Callable[[Compiler, Core], Crypto]

TARGETS: list[tuple[Compiler, Core]] = [("clang", "cm4"), ("clang", "cm0p"), ("gcc", "cm4"), ("gcc", "cm0p")]
"""Every compiler with every core that has arithmetic of its own."""


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> ImageFactory:
    """`image(compiler, core)` is the path of a linked ELF."""

    @cache
    def make(compiler: Compiler, core: str) -> Path:
        return build(tmp_path_factory.mktemp(f"{compiler}-{core}"), compiler, core)

    return make


@pytest.fixture(scope="session")
def crypto_for(image: ImageFactory) -> CryptoFor:
    """`crypto_for(compiler, core)` are the functions of that image; it is loaded once."""

    @cache
    def make(compiler: Compiler, core: Core) -> Crypto:
        return Crypto(image(compiler, core), core)

    return make
