"""Tiny firmware that uses a timer, and when it counted what."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest

from spboot.twin import Twin
from tests import families

from .conftest import out, twin_of

ALL = tuple(families.ALL.values())
CORES = tuple(families.ALL[name] for name in ("STM32G0", "STM32L4", "STM32F7", "STM32U5"))
BY_FAMILY = pytest.mark.parametrize("facts", ALL, ids=lambda facts: facts.part)
BY_CORE = pytest.mark.parametrize("facts", CORES, ids=lambda facts: facts.part)

PRELUDE = """
#define T(offset) REG({base:#x} + offset)
#define CR1 T(0)
#define CR2 T(4)
#define SMCR T(8)
#define DIER T(0xc)
#define SR T(0x10)
#define EGR T(0x14)
#define CCMR1 T(0x18)
#define CCMR2 T(0x1c)
#define CCER T(0x20)
#define CNT T(0x24)
#define PSC T(0x28)
#define ARR T(0x2c)
#define RCR T(0x30)
#define BDTR T(0x44)
#define CCR(n) T(0x30 + 4 * (n))
#define CLOCK REG({enable:#x})
static void on(void) {{ CLOCK |= 1u << {bit}; (void)CLOCK; REG({iser:#x}) = 1u << {line}; }}
#define PENDING(n) (REG(0xe000e200 + 4 * ((n) / 32)) >> (n) % 32 & 1)
static void spin(int n) {{ for (volatile int i = 0; i < n; i++) {{}} }}
"""
IRQ = "void irq(void) { OUT[1] = SR; SR = 0; OUT[0]++; }"


def timer(facts: families.Facts, code: str, *, tim2: bool = False, other: str = "", part: str = "") -> Twin:
    """A twin with *code*, which may define irq(), main_() and more; T(offset): the family's timer, TIM2 or *other*."""
    row = dict(facts.timer)
    if other:
        row |= dict(zip(("base", "enable", "bit", "irq"), row["others"][other], strict=False))
    if tim2:
        irq = {"STM32G0": 15, "STM32L0": 15, "STM32H5": 45, "STM32U5": 45, "STM32L5": 45, "STM32WL": 27}
        row |= {"base": 0x40000000, "bit": 0, "irq": irq.get(facts.name, 28)}
    iser = 0xE000E100 + 4 * (row["irq"] >> 5)
    twin = twin_of(PRELUDE.format(**row, iser=iser, line=row["irq"] & 31) + code, part or facts.part)
    twin.power_on(ram_fill=0)
    return twin


def reached(twin: Twin, number: int) -> bool:
    """Whether the firmware counted OUT[0] up to *number*."""
    return out(twin) >= number


def times(twin: Twin, count: int) -> list[float]:
    """When the firmware had counted OUT[0] up to 1, 2, ..., in seconds after it reached 0."""
    found = []
    for number in range(1, count + 1):
        assert twin.run(until=partial(reached, twin, number), seconds=5)
        found.append(twin.time)
    return found


def cycles_between(found: list[float], facts: families.Facts) -> list[int]:
    """From one time to the next, in cycles of the timer's clock after a reset."""
    return [round((b - a) * facts.timer["hertz"]) for a, b in pairwise(found)]
