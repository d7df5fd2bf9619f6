"""Peripherals without a model: named when refused, kept silent when that is asked for, or modelled by users."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import ClassVar

import pytest

from spboot import chips
from spboot.boards import Board
from spboot.chips.silence import Silence
from spboot.errors import BoardError, TwinError
from spboot.twin import Twin, guests
from spboot.twin.block import Block
from spboot.twin.host.gdb_memory import Memory

from .conftest import build, finish, firmware, out, twin_of

PART = "STM32L476RG"
LCD_ON = "RCC_APB1ENR1 |= 1u << 9; (void)RCC_APB1ENR1; "
"""RM0351 6.4.19: LCDEN; LCD is at 0x40002400 (table 1)."""


def silent_twin(source: str, *names: str, part: str = PART, **ready: int) -> Twin:
    places = {name.replace("_", "."): bits for name, bits in ready.items()}
    twin = Twin(part, silence=Silence.parse(names, places, chips.load(part)))
    twin.flash_load(0x08000000, firmware(source, part))
    twin.power_on()
    return twin


UNKNOWN = {
    "LCD": (
        PART,
        LCD_ON + "REG(0x40002408) = 1;",
        r"access to LCD \(0x40002400 \+ 0x8\).*Keep it silent \(--silent LCD\)",
    ),
    "SPI1 of F4": ("STM32F429ZI", "REG(0x40013000) = 1;", r"access to SPI1 \(0x40013000 \+ 0x0\)"),
    "a gap": (PART, "REG(0x4002f000) = 1;", "access to 0x4002f000, where STM32L476RG has no peripheral"),
    "the middle of ETH": ("STM32F769NI", "REG(0x40029000) = 1;", r"access to ETH \(0x40028000 \+ 0x1000\)"),
    "memory behind QUADSPI": (PART, "(void)REG(0x90000000);", "0x90000000, memory behind QUADSPI.*has no memory there"),
    "memory behind QUADSPI1": ("STM32G474RE", "(void)REG(0x90000000);", "0x90000000, memory behind QUADSPI1"),
    "memory behind FMC": ("STM32F429ZI", "REG(0xd0000000) = 1;", "0xd0000000, memory behind FMC"),
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_a_refusal_names_the_peripheral(kind: str) -> None:
    part, code, message = UNKNOWN[kind]
    twin = twin_of(f"void main_(void) {{ {code} for (volatile int i = 0; i < 99; i++) {{}} }}", part)
    with pytest.raises(TwinError, match=message):
        twin.run(seconds=1)


def test_a_window_that_the_part_lacks_is_a_fault() -> None:
    twin = twin_of("void main_(void) { (void)REG(0x90000000); for (;;) {} }", "STM32F429ZI")
    twin.run(seconds=0.001)
    assert [fault.address for fault in twin.faults] == [0x90000000]


def test_a_silent_block_holds_what_is_written() -> None:
    source = f"""void main_(void) {{ {LCD_ON} REG(0x40002400) = 0x12345678; *(volatile uint8_t *)0x40002401 = 0xaa;
        OUT[0] = REG(0x40002400); OUT[1] = REG(0x40002408); OUT[2] = *(volatile unsigned short *)0x40002402; }}"""
    twin = silent_twin(source, LCD_0x8=0x21)
    finish(twin)
    assert [out(twin, i) for i in range(3)] == [0x1234AA78, 0x21, 0x1234]
    (lcd,) = twin.silent
    assert lcd.account() == "LCD: 0x0 2 read, 2 written; 0x8 1 read, 0 written"
    saved = twin.snapshot()
    twin.power_on()
    assert lcd.read(0, 4) == 0
    twin.restore(saved)
    assert (lcd.read(0, 4), lcd.reads[0]) == (0x1234AA78, 3)


def test_a_silent_block_needs_its_clock() -> None:
    """RM0351 6.4.19."""
    twin = silent_twin("void main_(void) { REG(0x40002400) = 1; for (;;) {} }", "LCD")
    with pytest.raises(TwinError, match="LCD_offset 0x0 accessed while the clock of LCD is off"):
        twin.run(seconds=1)


def test_a_silent_block_within_the_page_of_another() -> None:
    """VREFBUF is at 0x30 of the page of SYSCFG, COMP1 at 0x200 (RM0351 table 1)."""
    source = """void main_(void) { RCC_APB2ENR |= 1; (void)RCC_APB2ENR; REG(0x40010030) = 7; REG(0x40010204) = 9;
        OUT[0] = REG(0x40010030); OUT[1] = REG(0x40010204); OUT[2] = REG(0x40010004); REG(0x40010034) = 2; }"""
    twin = silent_twin(source, "VREFBUF", "COMP1", "COMP2")
    finish(twin)
    assert [out(twin, i) for i in range(3)] == [7, 9, 0x7C000001]
    assert [block.name for block in twin.silent] == ["COMP1", "COMP2", "VREFBUF"]
    words = [Memory(twin).read(address, 4) for address in (0x40010030, 0x40010204, 0x40010004)]
    assert words == [value.to_bytes(4, "little") for value in (7, 9, 0x7C000001)], "gdb sees all three"


@pytest.mark.parametrize("part", ["STM32L073RZ", "STM32F429ZI", "STM32H745XI", "STM32U575ZI"])
def test_all_that_has_no_model(part: str) -> None:
    twin = silent_twin("void main_(void) { OUT[0] = 1; }", "all", part=part)
    finish(twin)
    chip = chips.load(part)
    assert {block.name for block in twin.silent} == (chip.blocks.keys() | chip.others.keys()) - {
        name for name, block in twin.blocks.items() if block not in twin.silent
    }
    assert {"I2C1", "SPI1"} <= {block.name for block in twin.silent}


def test_what_cannot_be_silent() -> None:
    for names, ready in ((("RCC",), {}), (("all",), {"RCC_0x8": 1})):
        with pytest.raises(TwinError, match="RCC cannot be silent: the twin has a model"):
            silent_twin("void main_(void) {}", *names, **ready)
    for names, ready, message in (
        (["LDC"], {}, "STM32L476RG has no LDC; it has none of that kind"),
        (["I2C9"], {}, "STM32L476RG has no I2C9; it has I2C1, I2C2, I2C3"),
        ([], {"LCD": 1}, "'LCD': expected a peripheral and the offset of a register, as I2C1.0x18"),
        ([], {"LCD.0x3": 1}, "as I2C1.0x18"),
        ([], {"LCD.0x8": 0}, "LCD.0x8: 0: expected the bits that read as 1"),
        ([], {"LCD.0x8": 1 << 32}, "at most 32 of them"),
    ):
        with pytest.raises(BoardError, match=message):
            Silence.parse(names, ready, chips.load(PART))


def test_silence_of_a_board_and_of_a_call() -> None:
    chip = chips.load(PART)
    board = Silence.parse(["LCD"], {"I2C1.0x18": 1}, chip)
    both = board | Silence.parse(["LCD", "SPI1"], {"I2C1.0x18": 4, "SPI1.8": 2}, chip)
    assert both.names == ("LCD", "I2C1", "SPI1")
    assert both.ready == {("I2C1", 0x18): 5, ("SPI1", 8): 2}


TABLES = {
    "": None,
    '[twin]\nsilent = ["LCD"]\nready = { "I2C1.0x18" = 1 }\n': None,
    '[twin]\nquiet = ["LCD"]\n': r"LAMP\.toml: unknown key twin\.quiet; known: ready, silent",
    '[twin]\nsilent = "LCD"\n': r"LAMP\.toml: twin\.silent is 'LCD', expected a list of peripherals",
    '[twin]\nsilent = ["LDC"]\n': r"LAMP\.toml: twin: STM32L476RG has no LDC",
    "[twin]\nready = [1]\n": r"LAMP\.toml: twin\.ready is \[1\], expected bits",
}


@pytest.mark.parametrize("table", TABLES)
def test_the_table_of_a_board_file(table: str, tmp_path: Path) -> None:
    path = tmp_path / "LAMP.toml"
    shipped = Path(chips.__file__).parents[1] / "boards" / "data" / "NUCLEO-L476RG.toml"
    path.write_text(f"{shipped.read_text()}\n{table}")
    message = TABLES[table]
    if message is None:
        assert Board.load(path).silence.names == (("LCD", "I2C1") if table else ())
    else:
        with pytest.raises(BoardError, match=message):
            Board.load(path)


class Lcd(Block):
    """A user's model: SR follows CR."""

    FOR: ClassVar[tuple[str, ...]] = ("LCD",)
    REGISTERS: ClassVar[dict[str, int]] = {"CR": 0, "SR": 8}

    def read_SR(self) -> int:  # noqa: N802 - named after its register
        return self.registers["CR"] & 1


class Second(Lcd):
    """Another one."""


class Clocks(Block):
    """Of what the twin models itself."""

    FOR: ClassVar[tuple[str, ...]] = ("RCC",)


NOTHING = 5


def named(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """The entry points are *names* of this module."""
    points = [EntryPoint(name=name.lower(), value=f"{__name__}:{name}", group=guests.GROUP) for name in names]
    monkeypatch.setattr(guests, "entry_points", lambda group: points if group == guests.GROUP else [])


def test_a_model_of_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "Lcd")
    source = f"void main_(void) {{ {LCD_ON} OUT[0] = REG(0x40002408); REG(0x40002400) = 3; OUT[1] = REG(0x40002408); }}"
    twin = twin_of(source)
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (0, 1)


def test_a_model_of_a_part_gives_way_to_silence() -> None:
    """The twin has the backup registers of TAMP (RM0444, TAMP_CR1 at 0x4000b000); silent, the others are storage."""
    part, clock = "STM32G0B1RE", "REG(0x4002103c) |= 1u << 10; (void)REG(0x4002103c);"
    source = f"void main_(void) {{ {clock} REG(0x4000b000) = 3; OUT[0] = REG(0x4000b000); }}"
    with pytest.raises(TwinError, match="TAMP_CR1 was written"):
        twin_of(source, part).run(seconds=1)
    twin = silent_twin(source, "TAMP", part=part)
    finish(twin)
    assert out(twin) == 3


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["Lcd", "Second"], "Lcd and Second both model LCD"),
        (["Clocks"], "Clocks is a model of RCC, which the twin models itself"),
        (["NOTHING"], "nothing of spboot.twin: .*:NOTHING is no Block with FOR"),
        (["Absent"], "absent of spboot.twin: .*:Absent cannot be imported"),
    ],
)
def test_models_that_are_refused(monkeypatch: pytest.MonkeyPatch, names: list[str], message: str) -> None:
    named(monkeypatch, *names)
    with pytest.raises(TwinError, match=message):
        Twin(PART)


@pytest.mark.parametrize("strict", ["all", "bootloader", "none"])
def test_what_silicon_bears(strict: str, make: Callable[[str], Twin]) -> None:
    """RM0351 6.4.28: BDCR is write-protected until PWR_CR1.DBP is set."""
    source = "for (volatile int i = 0; i < 2; i++) REG(0x40021090) = 1; OUT[0] = REG(0x40021090); OUT[1] = 7;"
    twin = make(f"void main_(void) {{ {source} }}")
    twin.strict = strict  # type: ignore[assignment]
    if strict == "all":
        with pytest.raises(TwinError, match=r"RCC_BDCR written while PWR_CR1\.DBP is clear; at PC 0x0800"):
            twin.run(seconds=1)
        return
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (0, 7)
    (warning,) = twin.warnings
    assert "Silicon bears it, the manual forbids it: set DBP first; it is ignored" in warning


def test_code_of_the_bootloader_is_stopped(make: Callable[[str], Twin]) -> None:
    twin = make("void main_(void) { REG(0x40021090) = 1; for (;;) {} }")
    twin.strict, twin.bootloader = "bootloader", range(0x08000000, 0x08001000)
    with pytest.raises(TwinError, match="RCC_BDCR written while"):
        twin.run(seconds=1)


def test_symbols_name_the_place_of_a_warning(make: Callable[[str], Twin], tmp_path: Path) -> None:
    source = "void main_(void) { REG(0x40021090) = 1; OUT[0] = 1; }"
    twin = make(source)
    twin.strict = "none"
    (tmp_path / "f.elf").write_bytes(build(source))
    twin.symbols(tmp_path / "f.elf")
    finish(twin)
    assert "(main_" in twin.warnings[0]
