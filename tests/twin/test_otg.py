"""The OTG core as a host: a program as the manual has it, and each of its rules broken once (RM0090 34, RM0351 47)."""

from __future__ import annotations

import pytest

from spboot import chips
from spboot.chips.silence import Silence
from spboot.chips.usb import Usb
from spboot.errors import TwinError
from spboot.twin import Twin
from spboot.twin.blocks.otg import Otg
from spboot.twin.usb.stick import Stick

from .conftest import done, finish, firmware, out
from .otg import PARTS, TABLES, source, twin_of


@pytest.mark.parametrize("name", PARTS)
def test_a_device_descriptor_is_read(name: str) -> None:
    twin = twin_of(name)
    finish(twin, 5)
    assert out(twin, 0) & 0x60007 == 0x20007  # full speed; enabled, detected, connected
    assert out(twin, 1) == 18
    assert bytes(out(twin, 2 + i) for i in range(18)) == bytes.fromhex(
        "12010002000000408107675500010000 0001".replace(" ", "")
    )


REFUSED = {  # words of the program, others in their place, what the twin says
    "CSRST before AHBIDL": (
        "while (!(GRSTCTL & 1u << 31)) {}\n    GRSTCTL = 1;",
        "GRSTCTL = 1;",
        "AHBIDL was not seen as 1",
    ),
    "a register within CSRST": (
        "while (GRSTCTL & 1) {} while",
        "O(0x38) = 0; while",
        "GCCFG_V1 was written while AHBIDL is 0",
    ),
    "no FHMOD": (
        "1u << 29 | 6u << 10;\n    while (!(GINTSTS & 1)) {}",
        "6u << 10;",
        "HCFG in device mode",
    ),
    "FHMOD is not waited for": (
        "while (!(GINTSTS & 1)) {}",
        "",
        "HCFG in device mode",
    ),
    "VBUS is sensed": (
        "1u << 16 | SENSING",
        "1u << 16",
        "NOVBUSSENS is 0",
    ),
    "DMA": (
        "HPRT = 1u << 12; }\nstatic void connect",
        "O(8) = 1u << 5; }\nstatic void connect",
        "This core has no DMA",
    ),
    "interrupts": (
        "O(0xe00) = 0;",
        "O(8) = 1;",
        "does not model its interrupts",
    ),
    "SRP": (
        "1u << 6 | 1u << 29",
        "1u << 6 | 1u << 8 | 1u << 29",
        "GUSBCFG = ",
    ),
    "a register of a device": (
        "O(0xe00) = 0;",
        "O(0x800) = 0;",
        "the host half alone",
    ),
    "a register that is not modelled": (
        "O(0xe00) = 0;",
        "(void)O(0x3c);",
        "does not model this register",
    ),
    "half a register": (
        "O(0x404) = 48000;",
        "HALF(0x50000404) = 48000;",
        "Access whole words",
    ),
    "a flush in a flush": (
        "while (GRSTCTL & 1u << 5) {}",
        "",
        "GRSTCTL was written during a flush",
    ),
    "no debounce": (
        "pause(101);",
        "pause(90);",
        "PRST was set 9.* ms after the device came",
    ),
    "a short reset": (
        "pause(11);\n    HPRT = 1u << 12;",
        "pause(5);\n    HPRT = 1u << 12;",
        "PRST was set for [45].* 10 ms at least",
    ),
    "suspend": (
        "HPRT = 1u << 12 | 1u << 8;",
        "HPRT = 1u << 12 | 1u << 7;",
        "suspend and test modes",
    ),
    "no reset": (
        "HPRT = 1u << 12 | 1u << 8;\n    pause(11);\n    HPRT = 1u << 12;\n    while (!(HPRT & 1u << 2)) {}",
        "",
        "the port is not enabled",
    ),
    "no recovery": (
        "while (!(HPRT & 1u << 2)) {}\n    pause(11);",
        "while (!(HPRT & 1u << 2)) {}\n    pause(5);",
        "ms too early",
    ),
    "PENA is written back": (
        "while (!(HPRT & 1u << 2)) {}",
        "while (!(HPRT & 1u << 2)) {} HPRT |= 0;",
        "the port is not enabled",
    ),
    "48 MHz from HSI": (
        "4 | 168u << 6 | 1u << 22",
        "8 | 168u << 6",
        "48 MHz from HSI;.*It needs 48 MHz, exact to 0.25 %",
    ),
    "50 MHz": (
        "7u << 24",
        "6u << 24",
        "56 MHz from HSE",
    ),
    "no clock": (
        "REG(0x40023800) |= 1u << 24;\n    while (!(REG(0x40023800) & 1u << 25)) {}",
        "",
        "CSRST was set and 48 MHz do not run",
    ),
    "no pins": (
        "0x2800000",
        "0x800000",
        "PA12 in another mode",
    ),
    "pins of another function": (
        "0xaa000",
        "0xa9000",
        "PA11 in another mode",
    ),
    "a frame of 1.25 ms": (
        "O(0x404) = 48000;",
        "",
        "HFIR 60000",
    ),
    "FSLSPCS": (
        "O(0x400) = 5;",
        "O(0x400) = 4;",
        "FSLSPCS 0",
    ),
    "no transmit FIFO": (
        "O(0x28) = 96u << 16 | 128;",
        "O(0x28) = 8u << 16 | 128;",
        "16 words",
    ),
    "FIFOs overlap": (
        "O(0x100) = 64u << 16 | 224;",
        "O(0x100) = 64u << 16 | 220;",
        "One behind the other",
    ),
    "FIFOs too large": (
        "O(0x100) = 64u << 16 | 224;",
        "O(0x100) = 128u << 16 | 224;",
        "in 320 words",
    ),
    "a receive FIFO too small": (
        "O(0x24) = 128;",
        "O(0x24) = 17;",
        "two status words",
    ),
    "an interrupt endpoint": (
        "out(0, address, 0, 3, setup, 8);",
        "out(3, address, 0, 3, setup, 8);",
        "the twin has no others",
    ),
    "no packets": (
        "pid << 29 | 1u << 19 | size",
        "pid << 29 | size",
        "PKTCNT > 0",
    ),
    "words without a channel": (
        "HCCHAR = 1u << 31 | address << 22 | 1u << 20 | type << 18 | endpoint << 11 | 64;\n    for",
        "for",
        "Enable the channel",
    ),
    "a word too many": (
        "for (uint32_t i = 0; i < size; i += 4) FIFO",
        "for (uint32_t i = 0; i <= size; i += 4) FIFO",
        "no more bytes",
    ),
    "a register between words": (
        "FIFO = words[i / 4];",
        "{ FIFO = words[i / 4]; (void)HCINT; }",
        "4 of 8 bytes of a packet",
    ),
    "HCTSIZ of an enabled channel": (
        "while (!(HCINT & (ERROR | 1))) if",
        "HCTSIZ = 0; while (!(HCINT & (ERROR | 1))) if",
        "HCTSIZ0 was written while CHENA is 1",
    ),
    "a channel is changed": (
        "while (!(HCINT & (ERROR | 1))) if",
        "HCCHAR |= 1u << 22; while (!(HCINT & (ERROR | 1))) if",
        "HCCHAR0 was changed while CHENA is 1",
    ),
    "CHENA is cleared": (
        "while (!(HCINT & (ERROR | 1))) if",
        "HCCHAR = 0; while (!(HCINT & (ERROR | 1))) if",
        "CHENA was cleared",
    ),
    "no halt": (
        "    halt();\n",
        "",
        "HCTSIZ0 was written while CHENA is 1",
    ),
    "words are left": (
        "for (uint32_t i = 0; i < size; i += 4) { uint32_t word",
        "for (uint32_t i = 4; i < size; i += 4) { uint32_t word",
        "words of a packet left",
    ),
    "more words than came": (
        "i < size; i += 4) { uint32_t word",
        "i < size + 4; i += 4) { uint32_t word",
        "and it is empty",
    ),
    "a status of nothing": (
        "if (GINTSTS & 0x10) got",
        "got",
        "GRXSTSP read with an empty FIFO",
    ),
    "a ninth channel": (
        "OUT[0] = HPRT;",
        "O(0x600) = 1u << 31;",
        "This core has 8 channels",
    ),
    "eight requests": (
        "HCCHAR = 1u << 31 | address << 22 | 1u << 20 | type << 18 | 1u << 15 | endpoint << 11 | 64;",
        "for (int i = 0; i < 10; i++)\n HCCHAR = 1u << 31 | address << 22 | 1u << 20 | type << 18 | 1u << 15 | 64;",
        "8 requests waiting",
    ),
    "more packets than PKTCNT": (
        "1u << 15 | endpoint << 11 | 64;\n",
        "1u << 15 | endpoint << 11 | 64;\nHCCHAR = HCCHAR; pause(1);\n",
        "asks for more than PKTCNT",
    ),
    "SETUP of seven bytes": (
        "out(0, address, 0, 3, setup, 8);",
        "out(0, address, 0, 3, setup, 7);",
        "a SETUP packet of 7 bytes",
    ),
    "a status stage with DATA0": (
        "out(0, address, 0, 2, setup, 0);",
        "out(0, address, 0, 0, setup, 0);",
        "a status stage with data",
    ),
    "PHY clock stopped": (
        "O(0xe00) = 0;",
        "O(0xe00) = 1;",
        "does not stop its clocks",
    ),
    "a split": (
        "HCINT = ~0u; HCTSIZ = pid << 29 | 1u",
        "O(0x504) = 1u << 31; HCTSIZ = pid << 29 | 1u",
        "no split transactions",
    ),
    "a read-only register": (
        "O(0xe00) = 0;",
        "O(0x2c) = 0;",
        "HNPTXSTS is read-only",
    ),
}
L4 = {
    "no USV": (
        " REG(0x40007004) |= 1u << 10;",
        "",
        "without PWR_CR2.USV",
    ),
    "no IOSV": (
        " REG(0x40007004) |= 1u << 9;",
        "",
        "PG6 switches VBUS on and has no supply",
    ),
    "MSI by itself": (
        "= 0x1bd",
        "= 0x1b9",
        "48 MHz from MSI;.*It needs 48 MHz, exact to 0.25 %",
    ),
    "HSI48 by itself": (
        "REG(0x40021088) = 3u << 26;",
        "REG(0x40021098) = 1;",
        "48 MHz from HSI48",
    ),
    "locked to nothing": (
        "while (!(REG(0x40021090) & 2)) {}",
        "",
        "MSIPLLEN was set and LSERDY is 0",
    ),
    "VBUS is sensed": (
        "#define SENSING 0u",
        "#define SENSING (1u << 21)",
        "VBDEN is 1",
    ),
}
_CASES = [("F429", key, *row) for key, row in REFUSED.items()] + [("L496", key, *row) for key, row in L4.items()]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"), [(n, *row) for n, _, *row in _CASES], ids=[k for _, k, *_ in _CASES]
)
def test_refused(name: str, old: str, new: str, said: str) -> None:
    twin = twin_of(name, (old, new))
    with pytest.raises(TwinError, match=said):
        twin.run(until=lambda: done(twin), seconds=5)


def test_nothing_is_seen_before_vbus_is_on() -> None:
    """Its pin is driven to the level that the board's switch wants."""
    for edit in (("REG(GPIOG + 0x18) = 1u << 6;", ""), ("| 0x1000; REG(GPIOG + 0x18)", "; REG(GPIOG + 0x18)")):
        twin = twin_of("F429", edit)
        assert not twin.run(until=lambda twin=twin: done(twin), seconds=0.5)
    twin = twin_of("F429", table={"active": "low"})
    assert not twin.run(until=lambda: done(twin), seconds=0.5)
    twin = twin_of("F429", ("REG(GPIOG + 0x18) = 1u << 6;", "REG(GPIOG + 0x18) = 1u << 22;"), table={"active": "low"})
    finish(twin, 1)


def test_without_a_stick_nobody_is_there() -> None:
    twin = twin_of("F429", stick=False)
    assert not twin.run(until=lambda: done(twin), seconds=0.5)
    twin.plug(Stick(bytes(512)))
    finish(twin, 1)
    hasty = twin_of("F429", ("while (!(HPRT & 1)) {}\n    pause(101);", ""), stick=False)
    with pytest.raises(TwinError, match="PRST was set with no device there"):
        hasty.run(seconds=1)


def test_pulled_and_put_in_again() -> None:
    """PCSTS and PENA fall, DISCINT rises, a channel that was enabled stays so; a core reset makes all good."""
    more = """while (!(GINTSTS & 1u << 29)) {} OUT[30] = HPRT; HCCHAR |= 3u << 30; pause(5); OUT[31] = HCCHAR;
        OUT[32] = HCINT; core(); connect(); OUT[33] = control(0, 0x01000680, 18u << 16); }"""
    start = """HCINT = ~0u; HCTSIZ = 1u << 19 | 64;
        HCCHAR = 1u << 31 | 1u << 20 | 2u << 18 | 1u << 15 | 5u << 22 | 64; OUT[29] = 1;"""
    twin = twin_of("F429", ("OUT[2 + i] = B[i];\n}", f"OUT[2 + i] = B[i]; {start} {more}"))
    assert twin.run(until=lambda: out(twin, 29) == 1, seconds=3)
    twin.pull()
    assert twin.run(until=lambda: out(twin, 32) != 0 or out(twin, 31) != 0, seconds=1)
    twin.plug(Stick(bytes(512)))
    finish(twin, 2)
    assert out(twin, 30) & 0x7 == 0
    assert out(twin, 31) >> 30 == 3
    assert not out(twin, 32) & 2
    assert out(twin, 33) == 18


def test_a_halt_that_is_never_told() -> None:
    """Fault: written once more it is."""
    again = "HCCHAR |= 3u << 30; pause(1); OUT[30] = HCINT & 2; HCCHAR |= 3u << 30;"
    twin = twin_of("F429", ("HCCHAR |= 3u << 30;", again))
    core = twin.usb
    assert isinstance(core, Otg)
    core.lost_halts = 1
    finish(twin, 2)
    assert out(twin, 1) == 18


def test_a_snapshot_in_the_middle() -> None:
    twin = twin_of("F429")
    assert not twin.run(until=lambda: done(twin), seconds=0.12)
    before = twin.snapshot()
    finish(twin, 2)
    then = twin.time
    twin.restore(before)
    assert not done(twin)
    finish(twin, 2)
    assert (twin.time, out(twin, 1)) == (then, 18)


def test_without_a_connector_it_models_nothing() -> None:
    """It says so, and can be silent; then nothing can be plugged in."""
    part = "STM32F429ZI"
    twin = Twin(part)
    twin.flash_load(0x08000000, firmware(source("F429"), part))
    twin.power_on()
    with pytest.raises(TwinError, match=r"the board has no connector.*--silent USB_OTG_FS"):
        twin.run(seconds=1)
    chip = chips.load(part)
    usb = Usb.parse(TABLES["F429"], chip)
    silent = Twin(part, usb=usb, silence=Silence.parse(["USB_OTG_FS"], {}, chip))
    with pytest.raises(TwinError, match="no USB connector"):
        silent.plug(Stick(bytes(512)))
