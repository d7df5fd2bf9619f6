"""What an OTG core hangs on, on STM32H7 and at an ULPI PHY: each rule broken once (RM0399, RM0410, ULPI 1.1)."""

from __future__ import annotations

import pytest

from spboot.errors import TwinError

from .conftest import done, finish, out
from .otg import twin_of

H745 = {  # words of the program, others in their place, what the twin says
    "no detector": ("REG(0x5802480c) |= 1u << 24; while (!(REG(0x5802480c) & 1u << 26)) {}", "", "PWR_CR3.USB33RDY"),
    "the detector is off again": (
        "while (!(REG(0x5802480c) & 1u << 26)) {}\n    REG(0x58024400) |= 1u << 16;",
        "REG(0x5802480c) &= ~(1u << 24); REG(0x58024400) |= 1u << 16;",
        "without PWR_CR3.USB33RDY.*Set USB33DEN and wait",
    ),
    "ULPI as a reset leaves it": ("O(0x0c) = 1u << 6; GRSTCTL", "GRSTCTL", "CSRST was set with PHYSEL 0; .*no ULPI"),
    "no clock chosen": ("REG(0x58024454) = 2u << 20;", "", "CSRST was set and 48 MHz do not run"),
    "HSI48": (
        "REG(0x58024454) = 2u << 20;",
        "REG(0x58024400) |= 1u << 12; while (!(REG(0x58024400) & 1u << 13)) {} REG(0x58024454) = 3u << 20;",
        "runs on 48 MHz from HSI48;.*exact to 0.25 %",
    ),
    "PLL3 from HSI": ("= 2 | 5u << 20;", "= 0 | 16u << 20;", "runs on 38.4 MHz from HSI"),
    "48.5 MHz": ("= 95 | 9u << 16", "= 96 | 9u << 16", "runs on 48.5 MHz from HSE"),
    "output Q is off": ("2u << 10 | 1u << 23", "2u << 10", "CSRST was set and 48 MHz do not run"),
    "PLL3 from an HSE that is off": (
        "REG(0x58024400) |= 1u << 16; while (!(REG(0x58024400) & 1u << 17)) {}",
        "",
        "PLL3ON with source HSE not ready",
    ),
    "the range of another input": ("= 2u << 10 |", "= 1u << 10 |", "PLL3: M 5, N 96.*input 2..4 for this PLL3RGE"),
    "a VCO too fast": ("= 95 | 9u << 16", "= 191 | 9u << 16", "PLL3: M 5, N 192.*VCO 192..836"),
    "the source of a PLL that runs": (
        "REG(0x58024454) = 2u << 20;",
        "REG(0x58024454) = 2u << 20; REG(0x58024428) = 5u << 20;",
        "RCC_PLLCKSELR changed while PLL3 is on",
    ),
    "factors of a PLL that runs": (
        "REG(0x58024454) = 2u << 20;",
        "REG(0x58024454) = 2u << 20; REG(0x58024440) = 47 | 4u << 16;",
        "RCC_PLLDIVR2 changed while PLL3 is on",
    ),
    "an output of a PLL that runs": (
        "REG(0x58024454) = 2u << 20;",
        "REG(0x58024454) = 2u << 20; REG(0x5802442c) = 2u << 10;",
        "RCC_PLLCFGR changed while PLL3 is on",
    ),
    "VBUS is sensed": ("#define SENSING 0u", "#define SENSING (1u << 21)", "VBDEN is 1"),
    "high speed": ("O(0x400) = 5;", "O(0x400) = 1;", "FSLSS 0"),
    "DMA": ("O(0xe00) = 0;", "O(8) = 1u << 5;", "does not model its DMA"),
    "VBUS of a PHY": ("1u << 6 | 1u << 29", "1u << 6 | 1u << 20 | 1u << 29", "the twin has TOCAL, PHYSEL, TRDT"),
    "FIFOs too large": ("O(0x100) = 64u << 16 | 224;", "O(0x100) = 1024u << 16 | 224;", "in 1024 words"),
}
F769 = {
    "the clock of the PHY does not come in": ("0x187 | 3u << 29", "0x187 | 1u << 29", "USB_OTG_HSULPIEN 0"),
    "the PHY within": ("O(0x0c) = 1u << 20; GRSTCTL", "O(0x0c) = 1u << 6; GRSTCTL", "at an ULPI PHY: clear"),
    "no clock line": ("line(0x40020000, 5);", "", "with PA5 in another mode"),
    "no DIR": ("line(0x40022000, 11);", "", "with PI11 in another mode"),
    "slow lines": ("REG(port + 8) |= 3u << 2 * pin;", "REG(port + 8) |= 1u << 2 * pin;", "too slow for 60 MHz"),
    "another function": ("|= 10u << pin", "|= 2u << pin", "give it alternate function 10"),
    "no switch of VBUS": ("1u << 20 | 1u << 29", "1u << 29", "PPWR was set with GUSBCFG.ULPIEVBUSD 0"),
    "48 MHz": ("O(0x400) = 4;", "O(0x400) = 5;", "FSLSPCS 1;.*0 is 60 MHz"),
    "a short frame": ("O(0x404) = 60000;", "O(0x404) = 48000;", "HFIR 48000;.*a frame is 60000 clocks"),
    "high speed": ("O(0x400) = 4;", "O(0x400) = 0;", "FSLSS 0"),
    "a slow bus": ("1u << 16 | 9u << 24", "3u << 16 | 9u << 24", "HCLK 24 MHz;.*it needs 30 MHz"),
    "a thirteenth channel": ("OUT[0] = HPRT;", "O(0x680) = 1u << 31;", "has no register|has 12 channels"),
}
_CASES = [("H745", key, *row) for key, row in H745.items()] + [("F769", key, *row) for key, row in F769.items()]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"), [(n, *row) for n, _, *row in _CASES], ids=[f"{n} {k}" for n, k, *_ in _CASES]
)
def test_refused(name: str, old: str, new: str, said: str) -> None:
    twin = twin_of(name, (old, new))
    with pytest.raises(TwinError, match=f"(?i){said}"):
        twin.run(until=lambda: done(twin), seconds=5)


@pytest.mark.parametrize("name", ["H745", "F769"])
def test_a_device_descriptor_is_read(name: str) -> None:
    twin = twin_of(name)
    finish(twin, 5)
    assert out(twin, 0) & 0x60007 == 0x20007  # full speed; enabled, detected, connected
    assert bytes(out(twin, 2 + i) for i in range(8)) == bytes.fromhex("1201000200000040")
    if name == "H745":
        assert twin.rcc.usb_clock() == (48_000_000, "HSE")


def test_a_phy_without_a_clock() -> None:
    """Fault: CSRST does not end."""
    twin = twin_of("F769")
    assert twin.usb is not None
    twin.usb.phy_silent = True
    assert not twin.run(until=lambda: done(twin), seconds=0.5)
    assert not twin.usb.idle


def test_a_board_without_the_supply() -> None:
    """Fault: USB33RDY does not come."""
    twin = twin_of("H745")
    twin.blocks["PWR"].vdd33usb = False  # type: ignore[attr-defined]
    assert not twin.run(until=lambda: done(twin), seconds=0.5)


def test_vbus_of_a_phy() -> None:
    """It follows PPWR; the reset of the core in RCC does not reach the PHY, a power-on does."""
    off = "HPRT = 0; pause(1); OUT[60] = 1;"
    twin = twin_of("F769", ("OUT[2 + i] = B[i];", f"OUT[2 + i] = B[i]; {off}"))
    assert twin.usb is not None
    assert twin.run(until=lambda: out(twin, 1) == 18, seconds=2)
    assert twin.usb.powered
    assert twin.run(until=lambda: out(twin, 60) == 1, seconds=2)
    assert not twin.usb.powered
    stays = twin_of("F769", ("OUT[2 + i] = B[i];", "OUT[2 + i] = B[i]; REG(0x40023810) = 1u << 29;"))
    assert stays.usb is not None
    finish(stays, 2)
    assert not stays.usb.host
    assert stays.usb.powered
    stays.power_on()
    assert not stays.usb.phy_vbus


def test_the_transceiver_stays_on_when_the_core_is_reset() -> None:
    """Host stacks that are in use everywhere switch it on before CSRST."""
    line = "    O(0x38) = 1u << 16 | SENSING;\n"
    twin = twin_of("F429", (line, ""), ("static void core(void) {\n", "static void core(void) {\n" + line))
    finish(twin, 5)
    assert out(twin, 1) == 18
