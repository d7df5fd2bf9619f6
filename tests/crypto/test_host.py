"""The portable C on the host, compiled with address and undefined-behaviour sanitizers."""

from __future__ import annotations

import hashlib
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from spboot.twin.measure.callee import Callee, Core

from .conftest import ImageFactory
from .images import HERE, SOURCES, WARNINGS, Compiler, need, run, write_generator
from .vectors import P, generated
from .verifier import BAD, GOOD, prepared

Ask = Callable[[list[bytes]], list[bytes]]


def _program(folder: Path, sources: list[Path]) -> Ask:
    """Answers of a program to a list of requests; any finding of a sanitizer fails the test."""
    write_generator(folder)
    program = folder / "host"
    options = ["-std=c11", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", *WARNINGS]
    include = [f"-I{folder}", f"-I{SOURCES[0].parent}"]
    run(Path(need("gcc")), *options, *include, *sources, "-o", program)

    def answers(requests: list[bytes]) -> list[bytes]:
        done = subprocess.run([program], input=b"".join(requests), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        found = [done.stdout[i : i + 32] for i in range(0, len(done.stdout), 32)]
        assert len(found) == len(requests)
        return found

    return answers


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    return _program(tmp_path_factory.mktemp("host"), [*SOURCES, HERE / "host.c"])


def test_signatures(ask: Ask) -> None:
    chosen = [(v, table) for v in generated()[::9] if (table := prepared(v.public)) is not None]
    answers = ask([b"v" + table + v.hash + v.wire for v, table in chosen])
    verdicts = [int.from_bytes(answer[:4], "little") for answer in answers]
    assert verdicts == [GOOD if v.accepted else BAD for v, _ in chosen]
    assert len(verdicts) > 400


def test_hashes(ask: Ask) -> None:
    cases = [(length, piece) for length in (0, 1, 55, 56, 63, 64, 65, 119, 120, 500) for piece in (1, 7, 64, 65, 999)]
    messages = [bytes(i % 251 for i in range(length)) for length, _ in cases]
    requests = [b"s" + struct.pack("<II", *case) + message for case, message in zip(cases, messages, strict=True)]
    assert ask(requests) == [hashlib.sha256(message).digest() for message in messages]


def test_key_streams(ask: Ask) -> None:
    key, nonce = bytes(range(16)), bytes(range(100, 112))
    cases = [(block, bytes(range(length))) for block in (0, 1, 255, 2**31, 2**32 - 3) for length in range(33)]
    requests = [b"c" + key + nonce + struct.pack("<II", block, len(data)) + data for block, data in cases]
    for answer, (block, data) in zip(ask(requests), cases, strict=True):
        counter = modes.CTR(nonce + block.to_bytes(4, "big"))
        assert answer[: len(data)] == Cipher(algorithms.AES(key), counter).encryptor().update(data)


# Around 0, p, 2^256 - p and 2^256, where a second correction by p is needed: no signature gets there by chance.
EDGES = [base + d for base in (0, P, 2**256 - P, 2**256) for d in range(-2, 3) if 0 <= base + d < 2**256]
PAIRS = [(a, b) for a in EDGES for b in EDGES]


def _pack(a: int, b: int) -> bytes:
    return a.to_bytes(32, "little") + b.to_bytes(32, "little")


def test_l2_arithmetic_modulo_p_at_its_bounds(tmp_path: Path) -> None:
    """L2 of p256_limbs.h and the bounds derived in p256.c, on the portable code."""
    sources = [source for source in SOURCES if source.name != "p256.c"]
    compute = _program(tmp_path, [*sources, HERE / "host_field.c"])
    operations: dict[bytes, Callable[[int, int], int]] = {
        b"+": lambda a, b: a + b,
        b"-": lambda a, b: a - b,
        b"*": lambda a, b: a * b * pow(2, -256, P),
    }
    for letter, operation in operations.items():
        results = compute([letter + _pack(a, b) for a, b in PAIRS])
        for (a, b), result in zip(PAIRS, results, strict=True):
            assert (int.from_bytes(result, "little") - operation(a, b)) % P == 0, (letter, hex(a), hex(b))


@pytest.mark.parametrize(("compiler", "core"), [("clang", "cm4"), ("gcc", "cm4"), ("clang", "cm0p"), ("gcc", "cm0p")])
def test_l1_l2_assembly_at_its_bounds(image: ImageFactory, compiler: Compiler, core: Core) -> None:
    callee = Callee(image(compiler, core), core, counting=False)
    a_at, b_at, r_at = (callee.allocate(32) for _ in range(3))
    for a, b in PAIRS:
        callee.write(a_at, a.to_bytes(32, "little"))
        callee.write(b_at, b.to_bytes(32, "little"))
        carry = callee.call("spb_limbs_add", r_at, a_at, b_at).r0
        assert carry << 256 | int.from_bytes(callee.read(r_at, 32), "little") == a + b
        borrow = callee.call("spb_limbs_sub", r_at, a_at, b_at).r0
        assert int.from_bytes(callee.read(r_at, 32), "little") - (borrow << 256) == a - b
        for name, exact in (("add", a + b), ("sub", a - b), ("mul", a * b * pow(2, -256, P))):
            for r, operands in ((r_at, (a_at, b_at)), (b_at, (a_at, b_at)), (a_at, (a_at, b_at))):
                callee.write(a_at, a.to_bytes(32, "little"))
                callee.write(b_at, b.to_bytes(32, "little"))
                callee.call(f"spb_field_{name}", r, *operands)
                assert (int.from_bytes(callee.read(r, 32), "little") - exact) % P == 0, (name, hex(a), hex(b))
