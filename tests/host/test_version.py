"""spboot.version."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spboot.errors import VersionError
from spboot.version import Version


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("1.2.3", 0x01000203),
        ("v1.2.3", 0x01000203),
        ("7.28", 0x07001C00),
        ("255.65535.255", 0xFFFFFFFF),
        ("0.0.0", 0),
        ("4", 0x04000000),
    ],
)
def test_pack(text: str, packed: int) -> None:
    assert Version.parse(text).pack() == packed
    assert Version.unpack(packed) == Version.parse(text)


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF))
def test_order_is_that_of_numbers(a: int, b: int) -> None:
    one, two = Version.unpack(a), Version.unpack(b)
    assert (one < two) == (a < b)
    assert Version.parse(str(one)) == one


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("256.0.0", r"major is 256, expected 0 \.\. 255"),
        ("1.65536.0", r"minor is 65536, expected 0 \.\. 65535"),
        ("1.2.256", r"patch is 256, expected 0 \.\. 255"),
        ("", "expected three numbers"),
        ("one", "expected three numbers"),
        ("1.2.3.4", "three numbers"),
        ("1.2.3rc1", "nothing but three numbers"),
        ("1.2.3.post0", "nothing but three numbers"),
        ("1.2.3.dev0", "nothing but three numbers"),
        ("1.2.3+dirty", "nothing but three numbers"),
        ("1!1.2.3", "nothing but three numbers"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(VersionError, match=message):
        Version.parse(text)


@pytest.mark.parametrize("packed", [-1, 1 << 32])
def test_unpack_out_of_range(packed: int) -> None:
    with pytest.raises(VersionError, match="0xffffffff"):
        Version.unpack(packed)
