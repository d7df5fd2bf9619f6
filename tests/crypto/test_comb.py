"""Comb tables made on the host, and the numbers they share with the firmware."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spboot.errors import FormatError
from spboot.formats import comb
from spboot.formats.spec import data_path

from .vectors import N, P, int_bytes, multiple


def _entry(table: bytes, k: int) -> tuple[int, int]:
    x, y = (int.from_bytes(table[64 * k + at : 64 * k + at + 32], "little") for at in (0, 32))
    return x * pow(2, -256, P) % P, y * pow(2, -256, P) % P


@settings(max_examples=20, deadline=None, derandomize=True)
@given(d=st.integers(1, N - 1))
def test_entries_are_the_multiples_they_should_be(d: int) -> None:
    """By `cryptography`: entry k of the table of d G is (+-1 +-2^52 .. + 2^208) d G."""
    table = comb.comb_table(*multiple(d))
    assert len(table) == comb.TABLE_SIZE
    for k in range(comb.POINTS):
        signs = [*((k >> j & 1) * 2 - 1 for j in range(comb.TEETH - 1)), 1]
        scalar = sum(sign << (comb.COLUMNS * j) for j, sign in enumerate(signs))
        assert _entry(table, k) == multiple(scalar * d % N)


def test_coordinates_are_stored_fully_reduced() -> None:
    """The firmware negates a point as p - y without looking."""
    table = comb.comb_table(*multiple(7))
    assert all(0 < int.from_bytes(table[at : at + 32], "little") < P for at in range(0, len(table), 32))


def test_generator_header_holds_the_table_of_the_base_point() -> None:
    words = [int(word, 16) for word in re.findall(r"0x([0-9a-f]{8})", comb.generator_header())]
    assert b"".join(word.to_bytes(4, "little") for word in words) == comb.comb_table(*multiple(1))


@pytest.mark.parametrize(
    ("x", "y", "found"),
    [
        (0, 0, "infinity"),
        (1, 1, "not on the curve"),
        (multiple(5)[0], multiple(5)[1] ^ 1, "not on the curve"),
        (multiple(5)[0] + P, multiple(5)[1], "not below p"),
        (multiple(5)[0], -multiple(5)[1], "not below p"),
    ],
)
def test_what_is_not_a_point_is_refused(x: int, y: int, found: str) -> None:
    with pytest.raises(FormatError, match=found):
        comb.comb_table(x, y)


def test_spec_firmware_and_host_agree_on_the_comb() -> None:
    header = (data_path("firmware") / "crypto" / "p256.h").read_text()
    source = (data_path("firmware") / "crypto" / "p256.c").read_text()
    assert f"#define SPB_P256_TEETH {comb.TEETH}\n" in header
    assert f"#define SPB_P256_POINTS {comb.POINTS} " in header
    assert f"#define COLUMNS {comb.COLUMNS} " in source


def test_constants_of_the_firmware_are_the_curve_s() -> None:
    """p, n and 1/n in p256.c."""
    source = (data_path("firmware") / "crypto" / "p256.c").read_text()
    expected = {
        "spb_p256_prime": P,
        "order": N,
        "order_inverse": pow(N, -1, 2**256),
    }
    for name, value in expected.items():
        match = re.search(rf"\b{name}\[8\] = {{([^}}]*)}}", source)
        assert match is not None
        words = [int(word, 0) for word in match[1].split(",")]
        assert b"".join(word.to_bytes(4, "little") for word in words)[::-1] == int_bytes(value), name
