"""FMC on the twin: its registers, as start-up code and drivers write them (RM0399 23.7.6, RM0090 37.5.6)."""

from __future__ import annotations

import pytest

from .conftest import finish, out, refuses, twin_of

H7 = "REG(0x580244d4)"  # RCC_AHB3ENR, FMCEN is bit 12
PLACES = {  # part: the clock, its bit, the registers
    "STM32H745XI": (0x580244D4, 12, 0x52004000),
    "STM32F429ZI": (0x40023838, 0, 0xA0000000),
    "STM32L476VG": (0x40021050, 0, 0xA0000000),
}


def test_start_up_code_of_stm32h7_turns_bank_1_off() -> None:
    """FMCEN, MBKEN of bank 1 cleared so that no speculative read waits for it, FMCEN back."""
    twin = twin_of(
        f"""void main_(void) {{ OUT[0] = {H7} >> 12 & 1; {H7} |= 1u << 12; OUT[1] = REG(0x52004000);
        REG(0x52004000) = 0x30d2; OUT[2] = REG(0x52004000); {H7} &= ~(1u << 12); }}""",
        "STM32H745XI",
    )
    finish(twin)
    assert [out(twin, i) for i in range(3)] == [0, 0x30DB, 0x30D2]


@pytest.mark.parametrize(("part", "place"), PLACES.items(), ids=PLACES)
def test_registers_after_a_reset(part: str, place: tuple[int, int, int]) -> None:
    clock, bit, base = place
    twin = twin_of(
        f"""void main_(void) {{ REG({clock:#x}) |= 1u << {bit}; (void)REG({clock:#x});
        for (int i = 0; i < 8; i++) OUT[i] = REG({base:#x} + 4 * i); REG({base:#x} + 4) = 0x123;
        OUT[8] = REG({base:#x} + 4); OUT[9] = REG({base:#x} + 0x84); }}""",
        part,
    )
    finish(twin)
    assert [out(twin, i) for i in range(8)] == [0x30DB, 0x0FFFFFFF, *(0x30D2, 0x0FFFFFFF) * 3]
    assert (out(twin, 8), out(twin, 9)) == (0x123, 0x40)


@pytest.mark.parametrize(("part", "place"), PLACES.items(), ids=PLACES)
def test_refused(part: str, place: tuple[int, int, int]) -> None:
    """Without its clock; a register of SDRAM where there is none; the memory itself."""
    clock, bit, base = place
    refuses(part, f"REG({base:#x}) = 0x30d2;", "FMC_BCR1 accessed while the clock of FMC is off")
    on = f"REG({clock:#x}) |= 1u << {bit}; (void)REG({clock:#x});"
    refuses(part, f"{on} REG({base:#x}) |= 1; (void)REG(0x60000000);", "memory behind FMC")
    if part.startswith("STM32L4"):
        refuses(part, f"{on} (void)REG({base + 0x140:#x});", "FMC has no register at offset 0x140")
