"""Window watchdog on every family: its bus clock, a prescaler that changes, the early wake-up (RM0351 38.3, 38.4)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from spboot.twin import Twin

from .conftest import finish, out, twin_of

STEP = 4096


@dataclass(frozen=True, kw_only=True)
class Part:
    """*clock*: register with its enable bit; *prescaler*: WDGTB = 3 in CFR; *hertz*: PCLK after a reset."""

    clock: int
    prescaler: int
    hertz: int
    bit: int = 11
    base: int = 0x40002C00


V1, V2 = 3 << 7, 3 << 11
PARTS = {
    "STM32F429ZI": Part(clock=0x40023840, prescaler=V1, hertz=16_000_000),
    "STM32F769NI": Part(clock=0x40023840, prescaler=V1, hertz=16_000_000),
    "STM32G0B1RE": Part(clock=0x4002103C, prescaler=V2, hertz=16_000_000),
    "STM32G474RE": Part(clock=0x40021058, prescaler=V2, hertz=16_000_000),
    "STM32H563ZI": Part(clock=0x44020C9C, prescaler=V2, hertz=32_000_000),
    "STM32H745XI": Part(clock=0x580244E4, bit=6, prescaler=V2, hertz=64_000_000, base=0x50003000),
    "STM32L073RZ": Part(clock=0x40021038, prescaler=V1, hertz=2_097_000),
    "STM32L476RG": Part(clock=0x40021058, prescaler=V1, hertz=4_000_000),
    "STM32L4R9AI": Part(clock=0x40021058, prescaler=V1, hertz=4_000_000),
    "STM32L562QE": Part(clock=0x40021058, prescaler=V2, hertz=4_000_000),
    "STM32U575ZI": Part(clock=0x46020C9C, prescaler=V2, hertz=4_000_000),
    "STM32WL55JC": Part(clock=0x58000058, prescaler=V2, hertz=4_000_000),
}
BY_PART = pytest.mark.parametrize(("name", "part"), PARTS.items(), ids=PARTS)


def started(name: str, part: Part, code: str, handler: str = "") -> Twin:
    """A twin that counts its starts in OUT[9], and runs *code* at the first one."""
    twin = twin_of(
        f"""#define CR REG({part.base:#x})
        #define CFR REG({part.base + 4:#x})
        #define SR REG({part.base + 8:#x})
        void irq(void) {{ OUT[0]++; {handler} }}
        void main_(void) {{ if (OUT[9]++) return; REG({part.clock:#x}) |= 1u << {part.bit}; (void)REG({part.clock:#x});
            {code} for (;;) {{}} }}""",
        name,
    )
    twin.power_on(ram_fill=0)
    return twin


@BY_PART
def test_a_prescaler_that_comes_after_the_start(name: str, part: Part) -> None:
    """Drivers start it first: WDGTB works on the counter that runs."""
    twin = started(name, part, f"CR = 0xff; CFR = 0x7f | {part.prescaler};")
    finish(twin, 2)
    assert twin.time == pytest.approx(64 * 8 * STEP / part.hertz, rel=0.01)


@BY_PART
def test_early_wake_up(name: str, part: Part) -> None:
    """EWIF at 0x40, one count before the reset; EWI lets it through, and only a reset clears EWI."""
    code = "CR = 0xff; CFR = 0x27f; CFR = 0x7f; OUT[1] = CFR >> 9 & 1; REG(0xe000e100) = 1;"
    twin = started(
        name, part, code, "OUT[2] = CR; SR = 1; OUT[3] = SR; SR = 0; OUT[4] = SR; if (OUT[0] < 3) CR = 0xff;"
    )
    finish(twin, 2)
    assert [out(twin, i) for i in range(5)] == [3, 1, 0xC0, 1, 0]
    assert twin.time == pytest.approx((3 * 63 + 1) * STEP / part.hertz, rel=0.02)


def test_the_flag_is_set_without_the_interrupt_and_lost_by_a_reset() -> None:
    name = "STM32L476RG"
    twin = started(name, PARTS[name], "CR = 0xc8; OUT[0] = SR; while (!SR) {} OUT[1] = CR;")
    finish(twin, 2)
    assert [out(twin, i) for i in range(2)] == [0, 0xC0]
    assert twin.bus.read(PARTS[name].clock, 4) >> 11 & 1 == 0


def test_it_counts_the_clock_of_its_bus() -> None:
    """RM0090 22.4: PCLK1, here a quarter of HCLK."""
    name = "STM32F429ZI"
    twin = started(name, PARTS[name], "CR = 0xff; RCC_CFGR = 5 << 10;")
    finish(twin, 2)
    assert twin.time == pytest.approx(64 * 4 * STEP / 16_000_000, rel=0.01)


def test_a_snapshot_holds_the_count() -> None:
    name = "STM32L476RG"
    twin = started(name, PARTS[name], f"CR = 0xff; CFR = 0x7f | {V1};")
    twin.run(seconds=0.1)
    taken = twin.snapshot()
    twin.run(seconds=0.2)
    twin.restore(taken)
    finish(twin, 2)
    assert twin.time == pytest.approx(64 * 8 * STEP / 4_000_000, rel=0.01)
