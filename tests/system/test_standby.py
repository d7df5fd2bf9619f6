"""What outlives a reset or Standby (decision 0038): whatever an application left there, clock, console and start are
right, and the cause of the start is told as far as it is known."""

from __future__ import annotations

import pytest

from spboot.errors import TwinError
from tests.families import BOARDS
from tests.system.sleeper import Sleeper
from tests.system.test_boards import workshops

__all__ = ["workshops"]

WITH_MSI = ("NUCLEO-L476RG", "DISCO-L4R9I", "DISCO-L562E", "NUCLEO-WL55JC")
WOKE = "reset by Standby\r"


@pytest.mark.parametrize("name", WITH_MSI)
def test_standby_with_every_msi_range(workshops, name: str) -> None:  # type: ignore[no-untyped-def]
    """RCC_CSR.MSISRANGE: the core starts at 1, 2, 4 or 8 MHz."""
    device = Sleeper(workshops(name))
    for choice, hertz in ((4, 1_000_000), (5, 2_000_000), (7, 8_000_000), (6, 4_000_000)):
        device.change("RCC", "CR", set_=device.mask("RCC", "CR", "MSIRGSEL"))
        device.change("RCC", "CSR", clear=0xF00, set_=choice << 8)
        device.sleep()
        assert device.twin.rcc.hclk == hertz
        assert f"{device.board.clock_hz // 10**6} MHz" in device.woken()


def make_dirty(device: Sleeper) -> None:
    """The worst that an application can leave in what survives."""
    twin = device.twin
    device.clock_power()
    if "MSISRANGE" in twin.rcc.fields.get("CSR", {}):
        device.change("RCC", "CR", set_=8)
        device.change("RCC", "CSR", clear=0xF00, set_=0x700)
    for block, register, clear, bits in device.facts.standby.get("dirty", ()):
        device.change(block, register, clear=clear, set_=bits)
    for name in twin.pwr.KEPT:
        if name in twin.pwr.registers and name not in twin.pwr.READ_ONLY:
            fields = twin.pwr.KEPT[name]
            bits = device.mask("PWR", name, *(f for f in fields if f in twin.pwr.fields[name])) or twin.pwr.masks[name]
            device.change("PWR", name, set_=bits & twin.pwr.masks[name])
    if "BDCR" in twin.rcc.registers and "DBP" in twin.pwr.fields.get("CR1", {}):
        device.change("PWR", "CR1", set_=device.mask("PWR", "CR1", "DBP"))
        device.write("RCC", "BDCR", device.mask("RCC", "BDCR", "LSEON", "RTCEN") | 1 << 8)


@pytest.mark.parametrize("name", BOARDS)
def test_whatever_outlives_a_reset_or_standby(workshops, name: str) -> None:  # type: ignore[no-untyped-def]
    device = Sleeper(workshops(name))
    for start in (device.after_pin, device.after_software):
        make_dirty(device)
        start()
    make_dirty(device)
    device.sleep()
    device.woken()


@pytest.mark.parametrize("name", BOARDS)
def test_the_cause_is_told_as_far_as_it_is_known(workshops, name: str) -> None:  # type: ignore[no-untyped-def]
    """Flags gather until RMVF, and SBF stays through resets: called a wake is only what nothing else can have been."""
    device = Sleeper(workshops(name))
    assert "reset by power on\r" in device.first.decode()
    assert "reset by power on/software\r" in device.after_software()
    device.sleep()
    assert "reset by power on/software\r" in device.woken()
    device.clock_power()
    device.forget_causes()
    device.sleep()
    assert WOKE in device.woken()
    device.sleep("e")
    assert WOKE in device.woken()
    assert "reset by pin\r" in device.after_pin(), "SBF is still there"
    device.forget_causes()
    assert "reset by software\r" in device.after_software()
    device.clock_power()
    device.forget_standby()
    device.forget_causes()
    device.twin.reset("iwdg")
    assert "reset by watchdog\r" in device.started()


def test_a_reset_ends_standby_and_is_no_wake(workshops) -> None:  # type: ignore[no-untyped-def]
    device = Sleeper(workshops("NUCLEO-L476RG"))
    device.forget_causes()
    device.sleep()
    assert "reset by pin\r" in device.after_pin()


def test_domain_1_of_h7_wakes_alone(workshops) -> None:  # type: ignore[no-untyped-def]
    """RCC, pins and console are then as the application left them; the clocks run on."""
    device = Sleeper(workshops("DISCO-H745I"))
    device.change("PWR", "CPUCR", set_=1)
    device.fall_asleep()
    assert device.twin.rcc.on("PLL1")
    device.twin.rcc.registers["D2CCIP2R"] = 3  # its UARTs run from HSI, as ours would then
    assert "reset by power on/software\r" in device.woken()


def test_ram_and_registers_are_lost_in_standby(workshops) -> None:  # type: ignore[no-untyped-def]
    device = Sleeper(workshops("NUCLEO-L476RG"))
    before = device.twin.ram_read(0x20000000, 1024)
    device.clock_power()
    device.write("PWR", "PUCR0", 5)
    device.sleep()
    twin = device.twin
    assert twin.ram_read(0x20000000, 1024) != before
    assert (twin.pwr.registers["PUCR0"], twin.pwr.registers["CR1"]) == (5, 0x200)
    time = twin.time
    assert not twin.run(until=b"spboot", seconds=2)
    assert twin.time == pytest.approx(time + 2)
    with pytest.raises(TwinError, match="while the chip is not in Standby"):
        Sleeper(workshops("NUCLEO-L476RG")).twin.wake()


def test_shutdown_is_refused(workshops) -> None:  # type: ignore[no-untyped-def]
    device = Sleeper(workshops("NUCLEO-L476RG"))
    device.clock_power()
    device.change("PWR", "CR1", set_=4)
    with pytest.raises(TwinError, match=r"deep sleep with PWR set up for Shutdown.*models Stop and Standby"):
        device.fall_asleep()
