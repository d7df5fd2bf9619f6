"""Signatures that a verifier gets wrong: 4,386 cases, the same every time, judged by `cryptography`.

Good and flipped ones; r and s at and beyond their limits; keys and scalars so small that the comb meets a point twice,
or its opposite; sums that are infinity; x coordinates above the group order; keys that are not points.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
COUNT = 4386

Point = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """A public key as x then y, a hash, a signature as r then s, and whether it is good."""

    public: bytes
    hash: bytes
    signature: bytes
    good: bool
    why: str

    @property
    def wire(self) -> bytes:
        """The signature as the firmware takes it."""
        return on_the_wire(self.signature)

    @property
    def accepted(self) -> bool:
        """Whether the firmware takes it: where it is good, but for a hash of 0, which no message has (P1)."""
        return self.good and int.from_bytes(self.hash, "big") % N != 0


def int_bytes(value: int) -> bytes:
    """32 bytes, big-endian."""
    return value.to_bytes(32, "big")


def on_the_wire(signature: bytes) -> bytes:
    """r then w = 2^256 / s mod n of r then s; an s that is out of range stays as it is, for w has the same range."""
    s = int.from_bytes(signature[32:], "big")
    return signature[:32] + (int_bytes(2**256 * pow(s, -1, N) % N) if 0 < s < N else signature[32:])


def multiple(k: int) -> Point:
    """k times the base point, 0 < k < n."""
    numbers = ec.derive_private_key(k, ec.SECP256R1()).public_key().public_numbers()
    return numbers.x, numbers.y


def judge(public: bytes, digest: bytes, signature: bytes) -> bool:
    """The second opinion."""
    x, y, r, s = (int.from_bytes(part, "big") for part in (public[:32], public[32:], signature[:32], signature[32:]))
    if not (0 < r < N and 0 < s < N):
        return False
    try:
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        key.verify(utils.encode_dss_signature(r, s), digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    except (InvalidSignature, ValueError):
        return False
    return True


def _vector(public: Point, digest: int | bytes, r: int, s: int, why: str) -> Vector:
    key = int_bytes(public[0]) + int_bytes(public[1])
    digest = digest if isinstance(digest, bytes) else int_bytes(digest)
    signature = int_bytes(r) + int_bytes(s)
    return Vector(public=key, hash=digest, signature=signature, good=judge(key, digest, signature), why=why)


def _sign(d: int, e: int, k: int) -> tuple[int, int]:
    r = multiple(k)[0] % N
    return r, pow(k, -1, N) * (e + r * d) % N


def _random_and_flipped(rnd: random.Random) -> Iterator[Vector]:
    for i in range(200):
        d = rnd.randrange(1, N)
        digest = bytes(rnd.randrange(256) for _ in range(32))
        r, s = _sign(d, int.from_bytes(digest, "big"), rnd.randrange(1, N))
        yield _vector(multiple(d), digest, r, s, "good")
        if i % 2:
            continue
        flipped = bytearray(int_bytes(r) + int_bytes(s) if i % 4 else digest)
        flipped[rnd.randrange(len(flipped))] ^= 1 << rnd.randrange(8)
        if i % 4:
            r, s = int.from_bytes(flipped[:32], "big"), int.from_bytes(flipped[32:], "big")
            yield _vector(multiple(d), digest, r, s, "flipped signature")
        else:
            yield _vector(multiple(d), bytes(flipped), r, s, "flipped hash")


def _limits(d: int, digest: bytes) -> Iterator[Vector]:
    """r and s at 0, n, n - 1 and beyond; the other s of a signature."""
    r, s = _sign(d, int.from_bytes(digest, "big"), 777)
    top = 2**256 - 1
    assert r + N > top, "or r + n were one more case"
    pairs = [(0, s), (r, 0), (0, 0), (N, s), (r, N), (r, N - s), (N - 1, N - 1), (1, 1), (top, top)]
    pairs += [(r, s + N if s + N <= top else s ^ 1), (P - N, s), (r, s)]
    for r_case, s_case in pairs:
        yield _vector(multiple(d), digest, r_case, s_case, "limits")


def _small_keys(digest: bytes) -> Iterator[Vector]:
    """Keys that are small multiples of the base point: the two tables share points."""
    keys = [*range(1, 18), N - 1, N - 2, N - 3, N - 4, N - 5, N - 7, N - 8]
    keys += [(N + 1) // 2, (N - 1) // 2, 2**255, 2**128, N - 2**128]
    for d in keys:
        for e in (0, 1, 2, 3, N - 1, N - 2, N, 2**256 - 1, int.from_bytes(digest, "big")):
            for k in (1, 2, 3, 5, N - 1, 0xABCDEF123456):
                r, s = _sign(d, e % N, k)
                if s:
                    yield _vector(multiple(d), e, r, s, "small key")


def _chosen_scalars(rnd: random.Random) -> Iterator[Vector]:
    """Signatures made so that u1 and u2 are what we want: edges, equal, opposite, sums that are infinity."""
    for d in (1, 2, 3, N - 1, N - 2, 5, 0x1234567):
        first = (0, 1, 2, 3, 4, 7, 8, 15, 16, N - 1, N - 2, 2**255, 2**128, (N - 1) // 2, rnd.randrange(N))
        for u1 in first:
            for u2 in (1, 2, 3, 4, 7, 8, 15, 16, N - 1, N - 2, 2**255, rnd.randrange(N)):
                k = (u1 + u2 * d) % N
                r = multiple(k)[0] % N if k else rnd.randrange(1, N)
                s = r * pow(u2, -1, N) % N
                yield _vector(multiple(d), u1 * s % N, r, s, "chosen scalars" if k else "infinity")
                if k:
                    yield _vector(multiple(d), u1 * s % N, r ^ 1, s, "chosen scalars, wrong r")


def _add(left: Point, right: Point) -> Point:
    slope = (left[1] - right[1]) * pow(left[0] - right[0], -1, P) % P
    x = (slope * slope - left[0] - right[0]) % P
    return x, (slope * (left[0] - x) - left[1]) % P


def _times(k: int, point: Point) -> Point:
    """k times a point of unknown logarithm, k > 0, with no sum of equal points on the way but in doubling."""
    total, x, y = None, *point
    while k:
        if k & 1:
            total = (x, y) if total is None else _add(total, (x, y))
        slope = (3 * x * x - 3) * pow(2 * y, -1, P) % P
        x_next = (slope * slope - 2 * x) % P
        x, y = x_next, (slope * (x - x_next) - y) % P
        k >>= 1
    assert total is not None
    return total


def _square_root(square: int) -> int | None:
    root = pow(square, (P + 1) // 4, P)
    return root if root * root % P == square % P else None


def _large_x(rnd: random.Random) -> Iterator[Vector]:
    """x(R) is n or more, so that r = x(R) - n: R first, then a key to it."""
    found = 0
    x = N
    while found < 3:
        y = _square_root(x**3 - 3 * x + B)
        if y is not None:
            u1, u2 = rnd.randrange(1, N), rnd.randrange(1, N)
            base_x, base_y = multiple(u1)
            key = _times(pow(u2, -1, N), _add((x, y), (base_x, P - base_y)))
            r = x - N
            if r > 0:
                s = r * pow(u2, -1, N) % N
                yield _vector(key, u1 * s % N, r, s, "x not below n")
                found += 1
        x += 1


def _bad_keys(rnd: random.Random, digest: bytes, e: int) -> Iterator[Vector]:
    d = rnd.randrange(1, N)
    x, y = multiple(d)
    r, s = _sign(d, e % N, 999)
    top = 2**256 - 1
    root = _square_root(B)
    assert root is not None
    keys = [(0, 0), (x, y ^ 1), (x, P - y), (P, y), (x, P), (top, top), (0, root), (y, x), (1, 1)]
    for key in keys:
        yield _vector(key, digest, r, s, "public key")


@cache
def generated() -> tuple[Vector, ...]:
    """All COUNT vectors."""
    rnd = random.Random(12345)
    digest = hashlib.sha256(b"x").digest()
    vectors = [*_random_and_flipped(rnd)]
    vectors += _limits(rnd.randrange(1, N), digest)
    vectors += _small_keys(digest)
    vectors += _chosen_scalars(rnd)
    vectors += _large_x(rnd)
    last = int.from_bytes(vectors[-4].hash, "big")
    vectors += _bad_keys(rnd, digest, last)
    return tuple(vectors)
