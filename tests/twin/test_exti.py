"""Interrupts and events from pins, DBGMCU and SYSCFG, on every family: tests/families, table `exti`."""

from __future__ import annotations

import pytest

from spboot.boards import Board
from spboot.device import Device
from spboot.twin import Twin
from tests.families import ALL, Facts

from .conftest import finish, firmware, out, refuses, twin_of

BY_FAMILY = pytest.mark.parametrize("facts", ALL.values(), ids=lambda facts: facts.name)
LINE = 1 << 5
_ISER = 0xE000E100


def program(
    facts: Facts, *, rising: bool, falling: bool, mask: str = "imr", loop: str = "", handlers: str = ""
) -> Twin:
    """PB5 as an input on line 5 with its interrupt on; OUT[0] counts interrupts, OUT[1] and OUT[2] are the pending
    bits that the last one found."""
    exti = facts.exti
    return twin_of(
        f"""{handlers}
        void irq(void) {{ OUT[0]++; OUT[1] = REG({exti["rpr"]:#x}); OUT[2] = REG({exti["fpr"]:#x});
            REG({exti["rpr"]:#x}) = {LINE:#x}; REG({exti["fpr"]:#x}) = {LINE:#x}; }}
        void main_(void) {{
            for (int i = 0; i < 8; i++) OUT[i] = 0;
            {exti["clock"].replace("|= 2;", "|= 3;", 1)} __asm volatile("nop; nop; nop; nop");
            REG({exti["port"]:#x}) &= ~(3u << 10); REG({exti["port"] - 0x400:#x}) &= ~(3u << 10);
            REG({exti["select"][0]:#x}) = {exti["select"][1]:#x};
            REG({exti["rtsr"]:#x}) = {LINE if rising else 0:#x}; REG({exti["ftsr"]:#x}) = {LINE if falling else 0:#x};
            REG({exti[mask]:#x}) |= {LINE:#x};
            REG({_ISER:#x}) = 1u << {exti["irq"]};
            OUT[7] = 1; {loop}
        }}""",
        facts.part,
    )


def started(twin: Twin) -> Twin:
    twin.pins.set("PB5", 0)
    assert twin.run(until=lambda: out(twin, 7) == 1, seconds=1)
    twin.run(seconds=1e-4)
    return twin


@BY_FAMILY
def test_identity(facts: Facts) -> None:
    """DBGMCU_IDCODE: the die, and a revision of it that is sold today."""
    address, value = facts.exti["idcode"]
    twin = twin_of(
        f"void main_(void) {{ {facts.exti.get('idcode_clock', '')} OUT[0] = REG({address:#x}); }}", facts.part
    )
    finish(twin)
    assert hex(out(twin)) == hex(value)


@pytest.mark.parametrize(
    ("family", "part", "value"),
    [
        pytest.param("STM32G0", "STM32G051K8", 0x1001_6456, id="ES0545"),
        pytest.param("STM32G0", "STM32G071RB", 0x2002_6460, id="ES0418"),
        pytest.param("STM32G0", "STM32G031K8", 0x1003_6466, id="ES0487"),
        pytest.param("STM32H5", "STM32H523ZE", 0x1000_6478, id="ES0621"),
    ],
)
def test_revisions_of_relatives(family: str, part: str, value: int) -> None:
    """Device identification, on the first page of each errata sheet."""
    exti = ALL[family].exti
    twin = twin_of(f"void main_(void) {{ {exti.get('idcode_clock', '')} OUT[0] = REG({exti['idcode'][0]:#x}); }}", part)
    finish(twin)
    assert hex(out(twin)) == hex(value)


@BY_FAMILY
def test_what_stops_with_the_core_is_stored_and_outlives_a_reset(facts: Facts) -> None:
    """DBGMCU_CR is reset by a power-on alone (RM0351 48.16.3)."""
    address = facts.exti["idcode"][0] + 4
    clock = facts.exti.get("idcode_clock", "")
    twin = twin_of(f"void main_(void) {{ {clock} OUT[0] = REG({address:#x}); REG({address:#x}) = 6; }}", facts.part)
    finish(twin)
    twin.reset("pin")
    twin.run(seconds=0.01)
    assert out(twin) == 6
    twin.power_on()
    twin.run(seconds=0.01)
    assert out(twin) == 0


@BY_FAMILY
def test_masks_after_a_reset(facts: Facts) -> None:
    """EXTI_IMR1: lines of the direct type are let through."""
    twin = twin_of(f"void main_(void) {{ OUT[0] = REG({facts.exti['imr']:#x}); }}", facts.part)
    finish(twin)
    assert hex(out(twin)) == hex(facts.exti["idle_imr"])


@BY_FAMILY
@pytest.mark.parametrize(("rising", "falling"), [(True, False), (False, True), (True, True)])
def test_edges_of_a_pin_interrupt(facts: Facts, rising: bool, falling: bool) -> None:
    """RM0351 14.3.2: the chosen edges and no others; what is pending says which, where it tells them apart."""
    twin, count = started(program(facts, rising=rising, falling=falling)), 0
    apart = facts.exti["rpr"] != facts.exti["fpr"]
    for level in (1, 0, 1, 1, 0, 0, 1):
        before = twin.pins.get("PB5")
        twin.pins.set("PB5", level)
        twin.run(seconds=1e-4)
        seen = (rising and level > before) or (falling and level < before)
        count += seen
        assert out(twin) == count
        if seen and apart:
            assert (out(twin, 1), out(twin, 2)) == ((LINE, 0) if level else (0, LINE))


@BY_FAMILY
def test_another_port_on_the_same_line_is_not_heard(facts: Facts) -> None:
    """EXTICR chooses one port for a line (RM0351 9.2.4)."""
    twin = started(program(facts, rising=True, falling=True))
    for level in (0, 1, 0):
        twin.pins.set("PA5", level)
        twin.run(seconds=1e-4)
    assert out(twin) == 0


@BY_FAMILY
def test_a_masked_line_stays_silent_and_pends_nothing(facts: Facts) -> None:
    twin = started(program(facts, rising=True, falling=False, mask="emr"))
    twin.pins.set("PB5", 1)
    twin.run(seconds=1e-4)
    assert out(twin) == 0
    assert not twin.bus.read(facts.exti["rpr"], 4) & LINE
    assert twin.cpu.event


@BY_FAMILY
def test_software_triggers_a_line(facts: Facts) -> None:
    """SWIER (RM0351 14.5.5, RM0444 13.5.3)."""
    twin = started(program(facts, rising=True, falling=True, loop=f"REG({facts.exti['swier']:#x}) = {LINE:#x};"))
    assert out(twin) == 1
    assert out(twin, 1) == LINE


@BY_FAMILY
def test_an_output_of_the_chip_itself_is_an_edge(facts: Facts) -> None:
    """The edge detector listens to the pad, whoever drives it."""
    port = facts.exti["port"]
    twin = program(
        facts, rising=True, falling=False, loop=f"REG({port:#x}) |= 1u << 10; REG({port + 0x18:#x}) = {LINE:#x};"
    )
    assert out(started(twin)) == 1


def test_the_button_of_a_board_interrupts() -> None:
    """`Device.press`: PC13 of NUCLEO-L476RG, low when pressed (UM1724 6.5)."""
    exti = ALL["STM32L4"].exti
    source = f"""
        void irq(void) {{ OUT[0]++; REG({exti["rpr"]:#x}) = 1u << 13; }}
        void main_(void) {{ OUT[0] = 0; REG(0x4002104c) |= 4; REG(0x40021060) |= 1; (void)REG(0x40021060);
            REG(0x48000800) &= ~(3u << 26); REG(0x40010014) = 0x20; REG({exti["ftsr"]:#x}) = 1u << 13;
            REG({exti["imr"]:#x}) |= 1u << 13; REG({_ISER + 4:#x}) = 1u << 8; }}"""
    with Device(Board.load("NUCLEO-L476RG")) as device:
        device.twin.flash_load(0x08000000, firmware(source))
        device.release()
        device.power_on()
        device.wait(0.1)
        assert out(device.twin) == 0
        for count in (1, 2):
            device.press(0.1)
            assert out(device.twin) == count


@BY_FAMILY
def test_a_snapshot_holds_the_level_of_a_line(facts: Facts) -> None:
    """A level that was there before the snapshot is no edge after it."""
    twin = started(program(facts, rising=True, falling=False))
    twin.pins.set("PB5", 1)
    twin.run(seconds=1e-4)
    taken = twin.snapshot()
    twin.pins.set("PB5", 0)
    twin.restore(taken)
    twin.pins.set("PB5", 1)
    twin.run(seconds=1e-4)
    assert out(twin) == 1


WRONG = {
    "STM32F4": ("REG(0x40023844) |= 1u << 14; (void)REG(0x40023844); REG(0x40013808) = 0xf;", "EXTICR0.EXTI0 = 15"),
    "STM32L4": ("REG(0x40021060) |= 1; (void)REG(0x40021060); REG(0x40010000) = 3;", "MEMRMP = 0x3 remaps"),
    "STM32G0": ("REG(0x40021040) |= 1; (void)REG(0x40021040); REG(0x40010000) = 3;", "CFGR1 = 0x3 remaps"),
    "STM32L0": ("(void)REG(0x40015800);", "DBGMCU_IDCODE accessed while the clock"),
    "STM32H7": ("REG(0x580244f4) |= 2; (void)REG(0x580244f4); (void)REG(0x58000524);", "SYSCFG_PKGR was accessed"),
    "STM32F7": ("(void)REG(0x40013c20);", "EXTI has no register at offset 0x20"),
}


@pytest.mark.parametrize(("name", "row"), WRONG.items(), ids=WRONG)
def test_refused(name: str, row: tuple[str, str]) -> None:
    refuses(ALL[name].part, *row)


def test_compensation_cell_waits_for_its_clock() -> None:
    """RM0399 13.3.6: READY comes when the cell is on and CSI runs."""
    twin = twin_of(
        """void main_(void) { REG(0x580244f4) |= 2; (void)REG(0x580244f4);
        REG(0x58000420) = 1; OUT[0] = REG(0x58000420);
        REG(0x58024400) |= 1u << 7; while (!(REG(0x58024400) >> 8 & 1)) {}
        OUT[1] = REG(0x58000420); }""",
        ALL["STM32H7"].part,
    )
    finish(twin)
    assert (out(twin), out(twin, 1)) == (1, 0x101)


def test_two_blocks_share_a_line() -> None:
    """RM0444 12.3: USART3 and USART4 of STM32G0B1 have one vector; one that is quiet does not silence the other."""
    twin = twin_of(
        """
        void irq(void) { OUT[0]++; REG(0x40004c00) &= ~(1u << 7); }
        void main_(void) { OUT[0] = 0;
            REG(0x4002103c) |= 3u << 18; (void)REG(0x4002103c);
            REG(0x4000480c) = REG(0x40004c0c) = 139;
            REG(0x40004800) = 1u << 3 | 1; REG(0x40004c00) = 1u << 3 | 1;
            REG(0x40004800) |= 1u << 7; REG(0x40004c00) |= 1u << 7;
            REG(0x40004800) &= ~(1u << 7);
            REG(0xe000e100) = 1u << 29; }""",
        "STM32G0B1RE",
    )
    finish(twin)
    assert out(twin) == 1


def test_a_block_that_is_reset_lets_its_line_go() -> None:
    """RM0351 6.4.23: USART2RST; what it held up is down."""
    twin = twin_of(
        """
        void irq(void) { OUT[0]++; REG(0x40004400) = 0; }
        void main_(void) { OUT[0] = 0;
            REG(0x40021058) |= 1u << 17; (void)REG(0x40021058);
            REG(0x4000440c) = 139; REG(0x40004400) = 1u << 7 | 1u << 3 | 1;
            REG(0x40021038) = 1u << 17; REG(0x40021038) = 0;
            REG(0xe000e104) = 1u << 6; }""",
        "STM32L476RG",
    )
    finish(twin)
    assert out(twin) == 0


@pytest.mark.parametrize("part", ["STM32G0B1RE", "STM32G071C6", "STM32L072CB", "STM32L476RG", "STM32H745XI"])
def test_every_uart_drives_its_vector(part: str) -> None:
    """Whatever the vector is called: USART3_4_5_6_LPUART1, RNG_LPUART1."""
    twin = Twin(part)
    twin.nvic.reset()
    for name, block in twin.blocks.items():
        if "USART" in name or "UART" in name:
            (number,) = block.facts.interrupts.values()
            block.line(name, True)
            assert twin.nvic.lines >> 16 + number & 1, name
            block.line(name, False)
    assert not twin.nvic.lines
