"""What the crypto may cost: cycles, stack and flash of the compiled code."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from spboot.formats import elf
from spboot.twin.measure.callee import Core

from .conftest import TARGETS, ImageFactory
from .images import HARNESS, Compiler
from .vectors import Vector, generated
from .verifier import Crypto, prepared

pytestmark = pytest.mark.both_compilers

VERIFY_MAX_CYCLES: dict[Core, int] = {"cm4": 900_000, "cm0p": 5_000_000}
VERIFY_MAX_STACK = 720
SHA256_MAX_CYCLES_PER_BYTE: dict[Core, int] = {"cm4": 50, "cm0p": 110}
SHA256_MAX_STACK = 440
AES128_CTR_MAX_CYCLES_PER_BYTE: dict[Core, int] = {"cm4": 170, "cm0p": 260}
AES128_CTR_MAX_STACK = 560
CRYPTO_MAX_SIZE = 6200  # code and tables of all three, that of the generator included

ON_TARGETS = pytest.mark.parametrize(("compiler", "core"), TARGETS)


def _worst_verify(elf: Path, core: Core, vectors: Iterable[Vector]) -> tuple[int, int]:
    """Most cycles and most stack."""
    crypto = Crypto(elf, core, counting=True)
    results = [
        crypto.call_verify(table, vector.hash, vector.wire)
        for vector in vectors
        if (table := prepared(vector.public)) is not None
    ]
    return max(r.cycles for r in results), max(r.stack for r in results)


@ON_TARGETS
def test_verify(image: ImageFactory, compiler: Compiler, core: Core) -> None:
    """Random vectors, and one of each kind."""
    vectors = generated()
    chosen = [*vectors[:30:2], *{v.why: v for v in vectors}.values()]
    cycles, stack = _worst_verify(image(compiler, core), core, chosen)
    assert cycles <= VERIFY_MAX_CYCLES[core]
    assert stack <= VERIFY_MAX_STACK


@pytest.mark.soak
def test_verify_every_vector(image: ImageFactory) -> None:
    cycles, stack = _worst_verify(image("clang", "cm4"), "cm4", generated())
    assert cycles <= VERIFY_MAX_CYCLES["cm4"]
    assert stack <= VERIFY_MAX_STACK


@ON_TARGETS
def test_sha256(image: ImageFactory, compiler: Compiler, core: Core) -> None:
    callee = Crypto(image(compiler, core), core, counting=True).callee
    state, data = callee.allocate(112), callee.allocate(bytes(range(256)) * 16)
    callee.call("spb_sha256_init", state)
    result = callee.call("spb_sha256_update", state, data, 4096)
    assert result.cycles <= SHA256_MAX_CYCLES_PER_BYTE[core] * 4096
    assert result.stack <= SHA256_MAX_STACK


@ON_TARGETS
def test_aes(image: ImageFactory, compiler: Compiler, core: Core) -> None:
    callee = Crypto(image(compiler, core), core, counting=True).callee
    key, nonce, data = (callee.allocate(size) for size in (16, 12, 4096))
    result = callee.call("spb_aes128_ctr", key, nonce, 0, data, 4096)
    assert result.cycles <= AES128_CTR_MAX_CYCLES_PER_BYTE[core] * 4096
    assert result.stack <= AES128_CTR_MAX_STACK


@ON_TARGETS
def test_size(image: ImageFactory, compiler: Compiler, core: Core) -> None:
    data = image(compiler, core).read_bytes()
    sizes = {use.name: use.size for use in elf.read("crypto", data).uses}
    harness = sum(symbol.size for symbol in elf.symbols("crypto", data) if symbol.name in HARNESS)
    assert ".data" not in sizes
    assert sizes[".text"] - harness <= CRYPTO_MAX_SIZE
