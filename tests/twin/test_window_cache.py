"""The data cache of a Cortex-M7 before a window of external flash: what was read there may stay in it (PM0253 4.8)."""

from __future__ import annotations

import pytest

from spboot.errors import TwinError

from .conftest import finish, out
from .external import quadspi, twin_of

READ = "map(); OUT[0] = REG(0x90001000);"
CHANGE = "unmap(); wipe(0x1000); map();"
DROP = "for (uint32_t at = 0x90001000; at < 0x90002000; at += 32) REG(0xe000ef{op}) = at;"
AGAIN = "OUT[1] = REG(0x90001000);"


def _run(body: str) -> tuple[int, int]:
    twin = twin_of("F769", quadspi("F769", body))
    twin.flash_load(0x90001000, bytes(64))
    finish(twin, 2)
    return out(twin, 0), out(twin, 1)


@pytest.mark.parametrize(
    "body",
    [
        f"data_cache_on(); {READ} {CHANGE} {DROP.format(op='70')} {AGAIN}",
        f"data_cache_on(); {READ} {CHANGE} {DROP.format(op='5c')} {AGAIN}",
        f"{READ} {CHANGE} {AGAIN}",
        f"{READ} {CHANGE} data_cache_on(); {AGAIN}",
        f"data_cache_on(); map(); OUT[0] = REG(0x90020000) + 1; {CHANGE} {AGAIN}",
    ],
    ids=["dropped", "dropped by DCIMVAC", "no cache", "a cache that was empty", "nothing was read there"],
)
def test_nothing_old_can_be_there(body: str) -> None:
    assert _run(body) == (0, 0xFFFFFFFF)


def test_what_was_read_is_old() -> None:
    with pytest.raises(
        TwinError, match="the window is read, 0x90001000 was changed, and the data cache may still hold"
    ):
        _run(f"data_cache_on(); {READ} {CHANGE} {AGAIN}")


def test_a_line_is_left() -> None:
    left = DROP.format(op="70").replace("0x90001000", "0x90001020")
    with pytest.raises(TwinError, match="0x90001000 was changed"):
        _run(f"data_cache_on(); {READ} {CHANGE} {left} {AGAIN}")


def test_a_window_that_is_not_cached() -> None:
    """By a region of the MPU: normal memory, not cacheable."""
    plain = "mpu(26); REG(0xe000ed98) = 1; REG(0xe000eda0) = 6u << 24 | 1u << 19 | 25u << 1 | 1;"
    assert _run(f"data_cache_on(); map(); {plain} OUT[0] = REG(0x90001000); {CHANGE} {plain} {AGAIN}") == (
        0,
        0xFFFFFFFF,
    )


def test_a_snapshot_has_it() -> None:
    twin = twin_of("F769", quadspi("F769", f"data_cache_on(); {READ} DONE = 1; while (DONE) {{}} {CHANGE} {AGAIN}"))
    finish(twin, 2)
    before = twin.snapshot()
    for _ in range(2):
        twin.rams.put(0x200000F0, bytes(4))
        with pytest.raises(TwinError, match="may still hold"):
            twin.run(seconds=2)
        twin.restore(before)
