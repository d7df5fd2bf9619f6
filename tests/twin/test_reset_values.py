"""What registers hold after a reset.  The id is the manual's section, of the manual in tests/families."""

from __future__ import annotations

import pytest

from tests.families import ALL

from .conftest import finish, out, twin_of


@pytest.mark.parametrize(
    ("part", "code", "value"),
    [
        pytest.param(facts.part, *entry, id=f"{facts.part}-{name}")
        for facts in ALL.values()
        for name, entry in facts.reset_values.items()
    ],
)
def test_reset_values(part: str, code: str, value: int) -> None:
    twin = twin_of(f"void main_(void) {{ {code} }}", part)
    finish(twin)
    assert out(twin) == value
