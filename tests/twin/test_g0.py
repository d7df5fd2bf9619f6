"""What only some parts of STM32G0 have (RM0444)."""

from __future__ import annotations

import pytest

from .conftest import finish, out, twin_of


@pytest.mark.parametrize(("part", "ready"), [("STM32G0B1RE", 1), ("STM32G070RB", 0)])
def test_the_oscillator_of_48_mhz(part: str, ready: int) -> None:
    """5.4.1: HSI48ON and HSI48RDY of RCC_CR; Zephyr waits for it before anything else."""
    twin = twin_of(
        "void main_(void) { REG(0x40021000) |= 1u << 22; for (volatile int i = 0; i < 200; i++) {}"
        " OUT[0] = REG(0x40021000) >> 23 & 1; }",
        part,
    )
    twin.strict = "none"
    finish(twin)
    assert out(twin) == ready
