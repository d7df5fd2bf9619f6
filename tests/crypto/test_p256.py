"""P-256 verification on the compiled code: invariants P1 and P2 of firmware/crypto/p256.h."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from spboot.formats.spec import data_path
from spboot.twin.measure.callee import Core

from .conftest import TARGETS, CryptoFor, ImageFactory
from .images import Compiler
from .published import sections
from .vectors import COUNT, N, generated, int_bytes, judge, multiple, on_the_wire
from .verifier import BAD, GOOD, Crypto, prepared, wrong

pytestmark = pytest.mark.both_compilers

WYCHEPROOF = data_path("spec").parent.parent / "shared" / "vectors" / "ecdsa_secp256r1_sha256_p1363_test.json"
TRUNCATED = {"SHA-1": "sha1", "SHA-224": "sha224", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


@pytest.mark.parametrize(
    ("compiler", "core", "stride"),
    [
        *[("clang", "cm4", 7), ("gcc", "cm4", 11), ("clang", "cm0p", 23), ("gcc", "cm0p", 29), ("clang", "cm3", 19)],
        *(pytest.param(*target, 1, marks=pytest.mark.soak) for target in (*TARGETS, ("clang", "cm3"))),
    ],
)
def test_generated_vectors_are_judged_as_by_cryptography(
    image: ImageFactory, compiler: Compiler, core: Core, stride: int
) -> None:
    """P1 and P2.  m3 runs the portable arithmetic.  The strides have no factor in common with the loops."""
    check_generated(Crypto(image(compiler, core), core), stride)


def check_generated(crypto: Crypto, stride: int = 1) -> None:
    """Every stride-th generated vector, and one of each kind."""
    vectors = generated()
    assert len(vectors) == COUNT
    kinds = {(v.why, v.good) for v in vectors}
    chosen = [*vectors[::stride], *(next(v for v in vectors if (v.why, v.good) == kind) for kind in kinds)]
    assert wrong(crypto, chosen) == []


@pytest.mark.parametrize("core", ["cm4", "cm0p"])
def test_nist_signatures(image: ImageFactory, core: Core) -> None:
    check_nist_signatures(Crypto(image("clang", core), core))


def check_nist_signatures(crypto: Crypto) -> None:
    """CAVP SigVer on P-256.  A hash longer than 256 bits is cut, a shorter one is a smaller number (FIPS 186-5 6.4)."""
    results: dict[str, int] = {}
    for section, fields in sections("asymmetric/ECDSA/FIPS_186-3/SigVer.rsp"):
        curve, _, hash_name = section.partition(",")
        if curve != "P-256":
            continue
        digest = hashlib.new(TRUNCATED[hash_name], bytes.fromhex(fields["MSG"])).digest()[:32].rjust(32, b"\0")
        public, signature = (b"".join(int_bytes(int(fields[k], 16)) for k in ks) for ks in (("QX", "QY"), ("R", "S")))
        verdict = crypto.verify(public, digest, signature)
        assert verdict == ("good" if fields["RESULT"].startswith("P") else "bad"), (section, fields)
        results[verdict] = results.get(verdict, 0) + 1
    assert sum(results.values()) == 15 * len(TRUNCATED)
    assert min(results.values()) > 10


@pytest.mark.parametrize("core", ["cm4", "cm0p"])
def test_wycheproof(image: ImageFactory, core: Core) -> None:
    check_wycheproof(Crypto(image("clang", core), core))


def check_wycheproof(crypto: Crypto) -> None:
    """Every case of the Wycheproof file; a signature that is not 64 bytes never reaches the firmware's function."""
    if not WYCHEPROOF.is_file():
        pytest.skip(f"no {WYCHEPROOF.name} in ../shared/vectors beside the repository: not run")
    suite = json.loads(WYCHEPROOF.read_text())
    done = refused_by_length = 0
    for group in suite["testGroups"]:
        public = bytes.fromhex(group["publicKey"]["uncompressed"])[1:]
        for case in group["tests"]:
            done += 1
            signature = bytes.fromhex(case["sig"])
            if len(signature) != 64:
                refused_by_length += 1
                assert case["result"] == "invalid", case
                continue
            verdict = crypto.verify(public, hashlib.sha256(bytes.fromhex(case["msg"])).digest(), signature)
            assert verdict == ("good" if case["result"] == "valid" else "bad"), case
    assert done == suite["numberOfTests"]
    assert refused_by_length == sum(len(t["sig"]) != 128 for g in suite["testGroups"] for t in g["tests"])


def test_key_equal_to_the_generator_and_its_opposite(image: ImageFactory) -> None:
    """P2, spelled out: both tables hold the same points, every column of equal scalars adds a point to itself."""
    crypto = Crypto(image("clang", "cm4"), "cm4")
    chosen = [v for v in generated() if v.why in ("chosen scalars", "infinity", "small key")][:120]
    assert {v.good for v in chosen} == {True}
    assert wrong(crypto, chosen) == []


@pytest.mark.parametrize(("compiler", "core"), TARGETS)
def test_p1_range_of_w(crypto_for: CryptoFor, compiler: Compiler, core: Core) -> None:
    """A w so small that w + n fits its 32 bytes: the scalars would be the same, only the check of the range tells."""
    crypto = crypto_for(compiler, core)
    d, k = 0x1234567, 0x89ABCDEF
    table = prepared(b"".join(map(int_bytes, multiple(d))))
    assert table is not None
    r = multiple(k)[0] % N
    for w in (1, 2, 12345, 2**256 - N - 1):
        s = 2**256 * pow(w, -1, N) % N
        digest = int_bytes((s * k - r * d) % N)
        good = int_bytes(r) + int_bytes(w)
        assert good == on_the_wire(int_bytes(r) + int_bytes(s))
        assert crypto.call_verify(table, digest, good).r0 == GOOD
        refused = (0, N, w + N, N - 1, 2**256 - 1, s)
        for wrong_w in {other for other in refused if other not in (w, N - w)}:
            assert crypto.call_verify(table, digest, int_bytes(r) + int_bytes(wrong_w)).r0 == BAD, hex(wrong_w)
        assert crypto.call_verify(table, digest, int_bytes(r) + int_bytes(N - w)).r0 == GOOD, "high s and low s"


def test_judge_agrees_with_the_definition() -> None:
    """The judge refuses what is out of range, not only what does not fit."""
    good = generated()[0]
    assert judge(good.public, good.hash, good.signature)
    assert not judge(good.public, good.hash, good.signature[:32] + int_bytes(N))


def test_wycheproof_path_is_beside_the_repository() -> None:
    """The file is found relative to the checkout, never by an absolute path."""
    assert Path("shared/vectors") / WYCHEPROOF.name == WYCHEPROOF.relative_to(data_path("spec").parent.parent)
