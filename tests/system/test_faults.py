"""One skipped instruction in the check of a header, in the bootloader that ships, after a good check (P3).

What an earlier check left on the stack and in the work area, and a stack of zeros, must not help a bad one: a hash of
zero is one that anybody can make a signature for, without the signing key."""

from __future__ import annotations

import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from spboot import boards, keys, release
from spboot.build.compiler import NAMES
from spboot.twin.callee import Callee, Core
from tests.crypto import verifier
from tests.crypto.skipper import Skipper
from tests.system.rig import Workshop
from tests.system.test_budgets import GOOD

BOARDS: dict[str, Core] = {"NUCLEO-L476RG": "m4", "NUCLEO-L073RZ": "m0plus"}
VERDICT = 2_000  # instructions at the end that are all skipped, each in its turn
ARITHMETIC = re.compile(r"(spb_)?(field|limbs|point|scalar|sha256_block|add_column|square|divide|reduce|halve|forget)")
"""A fault in these gives another wrong number; 40 of their instructions are skipped, spread evenly."""
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture(scope="module", params=[(name, compiler) for name in BOARDS for compiler in NAMES])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    name, compiler = request.param
    folder = tmp_path_factory.mktemp(f"faults-{name}-{compiler}")
    secrets = keys.new(folder / "keys", "demo", development=True)
    return Workshop(board=boards.load(name), keys=secrets, compiler=compiler, folder=folder)


def callee(shop: Workshop) -> Callee:
    """The functions of the shipped bootloader; the watchdog is fed into memory."""
    made = Callee(shop.boot.elf, BOARDS[shop.board.name], counting=False)
    made.uc.mem_map(shop.board.chip.block("IWDG").address & ~0xFFF, 0x1000)
    return made


def indices(skipper: Skipper) -> list[int]:
    """Every step outside the arithmetic, the first and the last time a loop does it; a sample inside; the end."""
    end = range(max(0, skipper.length - VERDICT), skipper.length)
    return sorted({*skipper.ends(ARITHMETIC), *range(0, skipper.length, skipper.length // 40), *end})


def flipped(header: bytes, at: int) -> bytes:
    return header[:at] + bytes([header[at] ^ 1]) + header[at + 1 :]


@pytest.mark.parametrize("at", [20, 100], ids=["manifest", "signature"])
def test_remains_of_a_good_check_help_nobody(shop: Workshop, at: int) -> None:
    good = release.header_for(shop.image("1.0.0"))
    device = callee(shop)
    work = device.allocate(verifier.WORK_SIZE)
    before = (device.allocate(good), work)
    skipper = Skipper(device, "spb_header_verify", device.allocate(flipped(good, at)), work, before=before)
    assert skipper.unfaulted != GOOD
    assert skipper.earlier == GOOD
    results = skipper.results(indices(skipper))
    assert GOOD not in results
    assert results.count(skipper.unfaulted) > len(results) // 4


def signed_zero(secrets: keys.Keys) -> bytes:
    """A signature for the hash 0, made of the public key alone: r = x(k Q), s = r / k (ECDSA with e = 0)."""
    assert secrets.signing is not None
    k = 3
    private = secrets.signing.private_numbers().private_value  # only to have a library compute k Q
    r = ec.derive_private_key(k * private % ORDER, ec.SECP256R1()).public_key().public_numbers().x % ORDER
    return r.to_bytes(32, "big") + (r * pow(k, -1, ORDER) % ORDER).to_bytes(32, "big")


def test_a_hash_that_is_left_out_is_not_zero(shop: Workshop) -> None:
    forged = signed_zero(shop.keys)
    point = shop.keys.verify.public_numbers()
    table = verifier.prepared(point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big"))
    assert table is not None
    assert verifier.Crypto(shop.boot.elf, BOARDS[shop.board.name]).call_verify(table, bytes(32), forged).r0 == (
        verifier.GOOD
    )
    device = callee(shop)
    header = release.header_for(shop.image("1.0.0"))[:-64] + forged
    work = device.allocate(verifier.WORK_SIZE)
    skipper = Skipper(device, "spb_header_verify", device.allocate(header), work)
    assert skipper.unfaulted != GOOD
    skipper.clear_stack()
    end = skipper.trace.index(device.symbols["spb_p256_verify"] & ~1)
    hashing = [index for index in indices(skipper) if index < end]
    assert len(hashing) > 100
    assert GOOD not in skipper.results(hashing)
