"""Interrupt lines of the NVIC beyond 96: STM32F413 (RM0430, vector table), STM32G4 (RM0440), STM32H7 (RM0399)."""

from __future__ import annotations

import pytest

from .conftest import finish, out, twin_of


@pytest.mark.parametrize(("part", "line"), [("STM32F413ZH", 101), ("STM32G474RE", 101), ("STM32H745XI", 149)])
def test_the_last_line(part: str, line: int) -> None:
    """Enabled, pending by software and of a priority, as any other."""
    word, bit = 4 * (line // 32), 1 << line % 32
    source = f"""void main_(void) {{ REG({0xE000E100 + word:#x}) = {bit:#x}; OUT[0] = REG({0xE000E100 + word:#x});
        __asm volatile("cpsid i"); REG({0xE000E200 + word:#x}) = {bit:#x}; OUT[1] = REG({0xE000E200 + word:#x});
        BYTE({0xE000E400 + line:#x}) = 0x50; OUT[2] = BYTE({0xE000E400 + line:#x});
        OUT[3] = SCB_ICSR >> 12 & 0x1ff; }}"""
    twin = twin_of(source, part)
    finish(twin)
    assert [out(twin, n) for n in range(4)] == [bit, bit, 0x50, 16 + line]
