"""TIM2 to TIM5 against virtual time: compares, UIF in the counter, and what is refused.  Sections are those of RM0090
18, where no other manual is named."""

from __future__ import annotations

import pytest

from spboot.errors import TwinError
from spboot.twin.blocks.timer_general import GeneralTimer
from tests import families

from .conftest import finish, out
from .timers import BY_CORE, BY_FAMILY, timer


@pytest.mark.parametrize("tim2", [False, True])
@pytest.mark.parametrize("name", ["STM32L4", "STM32F7", "STM32U5", "STM32G0"])
def test_uif_is_copied_to_the_counter(name: str, tim2: bool) -> None:
    """RM0440 32.4.6, RM0399 41.4: bit 31 of CNT is UIF with UIFREMAP, of the counter without."""
    twin = timer(
        families.ALL[name],
        "void main_(void) { on(); CR1 = 1u << 11; OUT[0] = CNT; EGR = 1; OUT[1] = CNT; CNT = 0x80000005; OUT[2] = CNT;"
        " SR = 0; OUT[3] = CNT; CR1 = 0; EGR = 1; OUT[4] = CNT; CNT = 0x80000005; OUT[5] = CNT; }",
        tim2=tim2,
    )
    finish(twin)
    top = 1 << 31
    assert [out(twin, i) for i in range(6)] == [0, top, top + 5, 5, 0, (top if tim2 else 0) + 5]


@BY_FAMILY
def test_four_compares_and_the_update(facts: families.Facts) -> None:
    """18.3.7, 18.4.5: CCxIF when the counter comes to CCRx; above ARR at the overflow."""
    twin = timer(
        facts,
        """void irq(void) { uint32_t at = CNT; OUT[1 + OUT[0]] = SR << 16 | at; SR = 0; OUT[0]++; }
        void main_(void) { on(); ARR = 9999; CCR(1) = 8000; CCR(2) = 2000; CCR(3) = 4000; CCR(4) = 12000;
        DIER = 0x1f; CCER = 0x1111; CR1 = 1; while (OUT[0] < 5) {} }""",
        tim2=True,
    )
    finish(twin)
    assert [out(twin, 1 + i) >> 16 for i in range(5)] == [4, 8, 2, 0x11, 4]
    assert [out(twin, 1 + i) & 0xFFFF for i in range(5)] == [
        pytest.approx(at, abs=60) for at in (2000, 4000, 8000, 0, 2000)
    ]


@BY_CORE
@pytest.mark.parametrize(("mode", "first"), [(0, 3000), (1 << 3, 1000)])
def test_a_compare_value_is_preloaded_with_ocpe(facts: families.Facts, mode: int, first: int) -> None:
    """18.4.7, OC1PE: the new value counts from the next update event."""
    twin = timer(
        facts,
        f"""void irq(void) {{ OUT[1 + OUT[0]] = CNT; SR = 0; OUT[0]++; }}
        void main_(void) {{ on(); ARR = 9999; CCMR1 = {mode}; CCR(1) = 1000; EGR = 1; SR = 0; DIER = 2;
        CR1 = 1; CCR(1) = 3000; OUT[9] = CCR(1); while (OUT[0] < 2) {{}} }}""",
        tim2=True,
    )
    finish(twin)
    assert out(twin, 9) == 3000
    assert [out(twin, 1), out(twin, 2)] == [pytest.approx(first, abs=60), pytest.approx(3000, abs=60)]


@BY_CORE
def test_software_sets_flags_of_compares_and_trigger(facts: families.Facts) -> None:
    """18.4.6: CC1G to CC4G and TG; CCxIF stay until 0 is written."""
    twin = timer(facts, "void main_(void) { on(); EGR = 0x4a; OUT[0] = SR; SR = ~8u; OUT[1] = SR; }", tim2=True)
    finish(twin)
    assert [out(twin, 0), out(twin, 1)] == [0x4A, 0x42]


# refused

REFUSED = {
    "down": ("CR1 = 0x10;", r"TIM2_CR1 = 0x10: other than counting up.*RM0090 18.4, RM0399 41.4", True),
    "centre": ("CR1 = 0x20;", "TIM2_CR1 = 0x20: other than counting up", True),
    "trigger-output": ("CR2 = 0x20;", "TIM6_CR2 = 0x20: trigger output.*RM0090 20.4, RM0440 32.4", False),
    "slave": ("SMCR = 7;", "TIM2_SMCR = 0x7: external clock", True),
    "dma": ("DIER = 0x100;", "TIM6_DIER = 0x100 asks for DMA", False),
    "dma-of-a-channel": ("DIER = 0x200;", "TIM2_DIER = 0x200 asks for DMA", True),
    "capture": ("CCMR1 = 1;", "TIM2_CCMR1 = 0x1: a channel other than output compare in frozen mode", True),
    "pwm": ("CCMR2 = 0x6800;", "TIM2_CCMR2 = 0x6800: a channel other than output compare in frozen mode", True),
    "input-polarity": ("CCER = 8;", "TIM2_CCER: bits 0x8 were set.*CCxNP is for inputs", True),
    "a-reserved-interrupt": ("DIER = 0x20;", "TIM2_DIER: reserved bits 0x20 were set", True),
    "burst": ("T(0x48) = 1;", "TIM2_DCR = 0x1: external clock, trigger, encoder or DMA burst", True),
}


@pytest.mark.parametrize(("code", "message", "tim2"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(code: str, message: str, tim2: bool) -> None:
    twin = timer(families.ALL["STM32L4"], f"void main_(void) {{ on(); {code} spin(99); }}", tim2=tim2)
    with pytest.raises(TwinError, match=message):
        twin.run(seconds=1)


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("STM32F4", "CR1 = 1u << 11;", "TIM6_CR1.UIFREMAP was set.*STM32F4 has no such bit"),
        ("STM32L0", "CR1 = 1u << 11;", "TIM6_CR1.UIFREMAP was set.*STM32L0 has no such bit"),
        ("STM32G4", "CR1 = 1u << 12;", "TIM6_CR1 = 0x1000: other than counting up"),
        ("STM32G4", "REG(0x4000000c) = 1u << 20;", "clock of TIM2 is off"),
    ],
)
def test_what_a_family_lacks_is_refused(name: str, code: str, message: str) -> None:
    with pytest.raises(TwinError, match=message):
        timer(families.ALL[name], f"void main_(void) {{ on(); {code} spin(99); }}").run(seconds=1)


def test_a_snapshot_holds_preloaded_compare_values() -> None:
    """A value that is not yet taken over, in another twin: it is taken over at the update, not before."""
    facts = families.ALL["STM32L4"]
    code = """void irq(void) { OUT[1 + OUT[0]] = CNT; SR = 0; OUT[0]++; }
        void main_(void) { on(); ARR = 9999; CCMR1 = 8; CCR(1) = 1000; EGR = 1; SR = 0; DIER = 2; CR1 = 1;
        CCR(1) = 3000; while (OUT[0] < 2) {} }"""
    twin, other = timer(facts, code, tim2=True), timer(facts, code, tim2=True)
    assert twin.run(until=lambda: twin.block("TIM2", GeneralTimer).registers["CCR0"] == 3000, seconds=0.0001)
    other.restore(twin.snapshot())
    finish(other)
    assert [out(other, 1), out(other, 2)] == [pytest.approx(1000, abs=60), pytest.approx(3000, abs=60)]
