"""One skipped instruction in the check of a header, in the bootloader that ships.

What an earlier check left on the stack and in the work area must not help a bad one (P3 of firmware/crypto/p256.h), nor
may a signature pass that was made for the scalars that a fault leads to (P4)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from spboot import release
from spboot.boards import Board
from spboot.builder.compiler import NAMES
from spboot.keys.signer import FolderKey
from tests.crypto import verifier
from tests.crypto.skipper import Skipper
from tests.system.rig import GOOD, Workshop, functions, workshop

QUICK, SLOW = "NUCLEO-L476RG", "NUCLEO-L073RZ"
OTHERS = "DISCO-F769I", "DISCO-L562E"
"""Cortex-M7 and M33, for which compilers choose other instructions."""
TARGETS = [
    pytest.param((name, compiler), id=f"{name}-{compiler}", marks=[] if name == QUICK else [pytest.mark.soak])
    for name in (QUICK, SLOW, *OTHERS)
    for compiler in NAMES
]
"""The long ones: a check takes seven times as long on Cortex-M0+."""
VERDICT = 2_000  # instructions at the end that are all skipped, each in its turn
ARITHMETIC = re.compile(r"(spb_)?(field|limbs|point|scalar|sha256_block|add_column|square|divide|reduce|halve|forget)")
"""A fault in these gives another wrong number; 40 of their instructions are skipped, spread evenly."""
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture(scope="module", params=TARGETS)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    name, compiler = request.param
    return workshop(Board.load(name), compiler, tmp_path_factory.mktemp(f"faults-{name}-{compiler}"))


def indices(skipper: Skipper) -> list[int]:
    """Every step outside the arithmetic, the first and the last time a loop does it; a sample inside; the end."""
    end = range(max(0, skipper.length - VERDICT), skipper.length)
    return sorted({*skipper.ends(ARITHMETIC), *range(0, skipper.length, skipper.length // 40), *end})


def flipped(header: bytes, at: int) -> bytes:
    return header[:at] + bytes([header[at] ^ 1]) + header[at + 1 :]


@pytest.mark.parametrize("at", [20, 100], ids=["manifest", "signature"])
def test_remains_of_a_good_check_help_nobody(shop: Workshop, at: int) -> None:
    good = release.header_for(shop.image("1.0.0"))
    device = functions(shop, counting=False)
    work = device.allocate(verifier.WORK_SIZE)
    before = (device.allocate(good), work)
    skipper = Skipper(device, "spb_header_verify", device.allocate(flipped(good, at)), work, before=before)
    assert skipper.unfaulted != GOOD
    assert skipper.earlier == GOOD
    results = skipper.results(indices(skipper))
    assert GOOD not in results
    assert results.count(skipper.unfaulted) > len(results) // 4


def digits_of_zeros() -> int:
    """What two cleared words of digits stand for: every digit -1."""
    return 1 - 2**256


def column(u: int) -> int:
    """The four digits that the comb begins with, as bits."""
    odd = u if u & 1 else u - ORDER
    bits = odd + 2**256 >> 1
    return sum((bits >> (64 * tooth + 63) & 1) << tooth for tooth in range(4))


@dataclass(frozen=True, slots=True)
class Forger:
    """Makes signatures that would pass if a fault made the scalars something else than hash / s and r / s: r, and s as
    a number or w as bytes.

    *secret* is the signing key: it only has the library add up points, which anybody can who has the public key."""

    secret: int
    hash: int

    def x(self, a: int, b: int) -> int:
        """x of a G + b Q, modulo n."""
        scalar = (a + b * self.secret) % ORDER
        return ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers().x % ORDER

    def hash_is_zero(self) -> tuple[int, int]:
        r = self.x(0, 3)
        return r, r * pow(3, -1, ORDER)

    def u1_is_the_hash(self) -> tuple[int, int]:
        r = self.x(self.hash, 3)
        return r, r * pow(3, -1, ORDER)

    def u1_was_never_set(self) -> tuple[int, int]:
        r = self.x(digits_of_zeros(), 3)
        return r, r * pow(3, -1, ORDER)

    def u2_was_never_set(self) -> tuple[int, int]:
        return self.x(3, digits_of_zeros()), self.hash * pow(3, -1, ORDER)

    def w_is_zero(self) -> tuple[int, bytes]:
        """Both scalars are 0, and their sum infinity, if nobody looks at the range of w."""
        return 1, bytes(32)

    def w_is_the_order(self) -> tuple[int, bytes]:
        """The same."""
        return 1, ORDER.to_bytes(32, "big")

    def w_was_never_set(self) -> tuple[int, int]:
        """The same, with one on the wire that is in range."""
        return 1, 3

    def known_u1(self, u2: Callable[[int], int]) -> tuple[int, bytes]:
        """u1 = 3, and u2 some product that has nothing of r."""
        w = 3 * 2**256 * pow(self.hash, -1, ORDER) % ORDER
        return self.x(3, u2(w)), w.to_bytes(32, "big")

    def u2_is_w(self) -> tuple[int, bytes]:
        return self.known_u1(lambda w: w)

    def u2_is_w_squared(self) -> tuple[int, bytes]:
        return self.known_u1(lambda w: w * w * pow(2, -256, ORDER))

    def u2_is_u1_times_w(self) -> tuple[int, bytes]:
        return self.known_u1(lambda w: 3 * w * pow(2, -256, ORDER))

    def u1_is_the_hash_squared(self) -> tuple[int, int]:
        r = self.x(self.hash * self.hash * pow(2, -256, ORDER), 3)
        return r, r * pow(3, -1, ORDER)

    def u2_is_u1(self) -> tuple[int, int]:
        return self.x(3, 3), self.hash * pow(3, -1, ORDER)

    def one_column(self) -> tuple[int, int]:
        """The comb is left after its first column, which is likely enough to be the one wanted."""
        tooth = sum(1 << 64 * j for j in range(4))
        r = self.x(tooth, tooth)
        tries = ((r, s) for s in range(1, 100_000))
        return next(
            (r, s)
            for r, s in tries
            for first in [column(self.hash * pow(s, -1, ORDER) % ORDER)]
            if first == 15 and first == column(r * pow(s, -1, ORDER) % ORDER)
        )


FORGERIES = ["hash_is_zero", "u1_is_the_hash", "u1_was_never_set", "u2_was_never_set", "u2_is_u1", "one_column"]
FORGERIES += ["w_was_never_set", "w_is_zero", "w_is_the_order"]
FORGERIES += ["u2_is_w", "u2_is_w_squared", "u2_is_u1_times_w", "u1_is_the_hash_squared"]


def forged(shop: Workshop, how: str) -> bytes:
    """A header that is not signed, with the signature of a Forger."""
    assert isinstance(shop.keys.signing, FolderKey)
    header = release.header_for(shop.image("1.0.0"))[:-64]
    digest = int.from_bytes(hashlib.sha256(header).digest())
    forger = Forger(shop.keys.signing.key.private_numbers().private_value, digest)
    r, s = getattr(forger, how)()
    w = s if isinstance(s, bytes) else (2**256 * pow(s, -1, ORDER) % ORDER).to_bytes(32, "big")
    return header + r.to_bytes(32, "big") + w


@pytest.mark.parametrize("shop", [(SLOW, compiler) for compiler in NAMES], ids=NAMES, indirect=True)
def test_p4_on_cortex_m0_where_the_steps_are_chosen(shop: Workshop) -> None:
    """In the one function that calls the others: the part of the sweep below that found something."""
    device = functions(shop, counting=False)
    work = device.allocate(verifier.WORK_SIZE)
    skipper = Skipper(device, "spb_header_verify", device.allocate(forged(shop, "one_column")), work)
    results = skipper.results(skipper.ends(re.compile(r"(?!spb_p256_verify$)")))
    assert len(results) > 100
    assert GOOD not in results


@pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("how", FORGERIES)
def test_p4_no_skipped_instruction_accepts_a_signature_made_for_it(shop: Workshop, how: str, step: int) -> None:
    """On a stack of zeros, and every step outside the arithmetic; in `make test` every third, other ones of each."""
    device = functions(shop, counting=False)
    work = device.allocate(verifier.WORK_SIZE)
    skipper = Skipper(device, "spb_header_verify", device.allocate(forged(shop, how)), work)
    assert skipper.unfaulted != GOOD
    skipper.clear_stack()
    results = skipper.results(skipper.ends(ARITHMETIC)[FORGERIES.index(how) % step :: step])
    assert GOOD not in results
    assert results.count(skipper.unfaulted) > len(results) // 8
