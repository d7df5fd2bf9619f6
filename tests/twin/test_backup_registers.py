"""Backup registers on every family: RTC_BKPxR (RM0351 38.6.20, RM0090, RM0367, RM0410, RM0399), TAMP_BKPxR (RM0444,
RM0440, RM0438, RM0453, RM0456, RM0481: TAMP registers)."""

from __future__ import annotations

import pytest

from spboot.errors import TwinError
from tests.families import ALL, Facts

from .conftest import finish, out, twin_of
from .test_exti import BY_FAMILY

TAMP = {
    "STM32G0": 0x4000B000, "STM32G4": 0x40002400, "STM32L5": 0x40003400, "STM32WL": 0x4000B000, "STM32U5": 0x46007C00,
    "STM32H5": 0x44007C00,
}  # fmt: skip
COUNT = {"STM32G0": 5, "STM32L0": 5, "STM32F4": 20, "STM32WL": 20}
"""32 elsewhere."""


def first(facts: Facts) -> int:
    return TAMP[facts.name] + 0x100 if facts.name in TAMP else facts.rtc["base"] + 0x50


def _clock_alone(facts: Facts) -> str:
    """What gives the registers their clock, without DBP, which is the last statement."""
    statements = facts.rtc["clock"].rstrip(";").split(";")
    return ";".join(statements[:-1]) + ";"


@BY_FAMILY
def test_they_outlive_a_reset_and_not_a_power_on(facts: Facts) -> None:
    last = first(facts) + 4 * (COUNT.get(facts.name, 32) - 1)
    twin = twin_of(
        f"""void main_(void) {{ {facts.rtc["clock"]} OUT[0] = REG({first(facts):#x}); OUT[1] = REG({last:#x});
            REG({first(facts):#x}) = 0x1234; REG({last:#x}) = 0x5678; }}""",
        facts.part,
    )
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (0, 0)
    for cause, found in (("pin", (0x1234, 0x5678)), ("software", (0x1234, 0x5678)), ("por", (0, 0))):
        twin.core.uc.mem_write(0x200000F0, bytes(4))
        twin.power_on() if cause == "por" else twin.reset(cause)  # type: ignore[arg-type]
        finish(twin)
        assert (out(twin, 0), out(twin, 1)) == found, cause


@BY_FAMILY
def test_dbp_protects_them(facts: Facts) -> None:
    """A write while DBP is clear is ignored, which silicon bears."""
    place = first(facts)
    source = f"""void main_(void) {{ {_clock_alone(facts)} REG({place:#x}) = 7; OUT[0] = REG({place:#x});
        {facts.rtc["clock"]} REG({place:#x}) = 8; OUT[1] = REG({place:#x}); }}"""
    with pytest.raises(TwinError, match="DBP is clear"):
        finish(twin_of(source, facts.part))
    twin = twin_of(source, facts.part)
    twin.strict = "none"
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (0, 8)
    assert len(twin.warnings) == 1


@BY_FAMILY
def test_the_reset_of_the_domain_clears_them(facts: Facts) -> None:
    """BDRST, RTCRST on L0, VSWRST on H5."""
    bit = 19 if facts.name == "STM32L0" else 16
    twin = twin_of(
        f"""void main_(void) {{ {facts.rtc["clock"]} REG({first(facts):#x}) = 5; OUT[1] = REG({first(facts):#x});
            REG({facts.rtc["backup"]:#x}) |= 1u << {bit}; REG({facts.rtc["backup"]:#x}) &= ~(1u << {bit});
            OUT[0] = REG({first(facts):#x}); }}""",
        facts.part,
    )
    finish(twin)
    assert (out(twin, 1), out(twin, 0)) == (5, 0)


@pytest.mark.parametrize("part", ["STM32L412KB", "STM32L4P5ZG"])
def test_the_newest_of_l4_have_them_in_tamp(part: str) -> None:
    """RM0394 and RM0432, TAMP registers of STM32L41x, L42x, L4Px and L4Qx: 32, at 0x4000 3500."""
    facts = ALL["STM32L4+" if "L4P" in part else "STM32L4"]
    twin = twin_of(
        f"void main_(void) {{ {facts.rtc['clock']} REG(0x40003500) += 3; REG(0x4000357c) += 4;"
        " OUT[0] = REG(0x40003500); OUT[1] = REG(0x4000357c); }",
        part,
    )
    for count in (1, 2):
        finish(twin)
        assert (out(twin, 0), out(twin, 1)) == (3 * count, 4 * count)
        twin.core.uc.mem_write(0x200000F0, bytes(4))
        twin.reset("pin")
    with pytest.raises(TwinError, match="TAMP"):
        twin_of("void main_(void) { (void)REG(0x40003580); for (volatile int i = 0; i < 9; i++) {} }", part).run(
            seconds=0.1
        )


@pytest.mark.parametrize("name", sorted(TAMP))
@pytest.mark.parametrize("access", ["REG({tamp}) = 1;", "(void)REG({tamp} + 0x30);", "REG({behind}) = 1;"])
def test_the_tamper_functions_are_refused(name: str, access: str) -> None:
    facts = ALL[name]
    code = access.format(tamp=f"{TAMP[name]:#x}", behind=f"{first(facts) + 4 * COUNT.get(name, 32):#x}")
    twin = twin_of(
        f"void main_(void) {{ {facts.rtc['clock']} {code} for (volatile int i = 0; i < 9; i++) {{}} }}", facts.part
    )
    with pytest.raises(TwinError, match="TAMP"):
        twin.run(seconds=0.1)
