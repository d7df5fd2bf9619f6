"""Boards with external flash, for tests: their pins and chips as their schematics have them, and C that sets them up.

Typed from the boards' manuals (UM1932, UM2033, UM2488, UM1879, UM2160, UM2271, UM2708, UM2617) and the reference
manuals, not from the chip facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from spboot import chips
from spboot.chips.external import External
from spboot.twin import Twin
from spboot.twin.blocks.serial_memory import SerialMemory
from spboot.twin.nor.chip import NorChip
from spboot.twin.nor.package import Package

from .conftest import firmware

_MPU: Final = """static void mpu(uint32_t power) {
    REG(0xe000ed98) = 0; REG(0xe000ed9c) = 0x90000000; REG(0xe000eda0) = 1u << 28 | 27u << 1 | 1;
    if (power) { REG(0xe000ed98) = 1; REG(0xe000ed9c) = 0x90000000;
        REG(0xe000eda0) = 6u << 24 | 1u << 17 | (power - 1) << 1 | 1; }
    else { REG(0xe000ed98) = 1; REG(0xe000eda0) = 0; }
    REG(0xe000ed94) = 5; __asm volatile("dsb\\n\\tisb" ::: "memory"); }
"""
"""All of the window forbidden; with *power*, so much of it (2^power bytes) may be read."""
_SETTLE: Final = """static void settle(void) {
    while (Q_SR & 0x20) {} uint32_t cr = Q_CR & ~1u; Q_CR = 0; while (Q_SR & 0x20) {} Q_CR = 0xff000001;
    Q_CCR = 0x20000000; Q_CCR = 0x20000000; Q_CR = 0; while (Q_SR & 0x20) {} Q_CR = cr; Q_CR = cr | 1; }
"""
"""ES0392, QUADSPI internal timing criticality."""
_PORTS: Final = {  # family: enable register of ports, first port, enable register and bit of the controller
    "STM32F4": (0x40023830, 0x40020000, 0x40023838, 1),
    "STM32F7": (0x40023830, 0x40020000, 0x40023838, 1),
    "STM32H7": (0x580244E0, 0x58020000, 0x580244D4, 14),
    "STM32L4": (0x4002104C, 0x48000000, 0x40021050, 8),
    "STM32L4+": (0x4002104C, 0x48000000, 0x40021050, 8),
    "STM32L5": (0x4002104C, 0x42020000, 0x40021050, 8),
}


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """One board."""

    part: str
    controller: str
    chip: str
    pins: str
    """As "CLK=PE10.10", with the alternate function."""
    base: int
    id: tuple[int, ...]
    size: int
    wide: bool
    """Commands with addresses of four bytes: 0C, 12, 21."""
    fsize: int
    count: int = 1
    port: int = 1
    prescaler: int = 2
    extra: dict[str, Any] = field(default_factory=dict)

    def external(self, **changes: Any) -> External:
        """As a board file would say it."""
        pins = {word.split("=")[0]: word.split("=")[1].split(".")[0] for word in self.pins.split()}
        table = {"controller": self.controller, "chip": self.chip, "pins": pins, "port": self.port}
        return External.parse({**table, "chips": self.count, **self.extra, **changes}, chips.load(self.part))

    @property
    def family(self) -> str:
        return chips.load(self.part).family

    def setup(self) -> str:
        """C: the clocks, the pins, and for a Cortex-M7 `mpu`."""
        enable, first, clock, bit = _PORTS[self.family]
        lines = [f"REG({clock:#x}) |= 1u << {bit}; (void)REG({clock:#x});"]
        for word in self.pins.split():
            pin, function = word.split("=")[1].split(".")
            number, place = ord(pin[1]) - ord("A"), int(pin[2:])
            port, half = first + 0x400 * number, first + 0x400 * number + 0x20 + 4 * (place // 8)
            lines += [
                f"REG({enable:#x}) |= 1u << {number}; (void)REG({enable:#x});",
                f"REG({port:#x}) = (REG({port:#x}) & ~(3u << {2 * place})) | 2u << {2 * place};",
                f"REG({half:#x}) = (REG({half:#x}) & ~(15u << {place % 8 * 4})) | {function}u << {place % 8 * 4};",
            ]
        return f"static void pins(void) {{ {' '.join(lines)} }}\n"


BOARDS: Final = {
    "F469": Fitted(
        part="STM32F469NI", controller="QUADSPI", chip="N25Q128A", base=0xA0001000, id=(0x20, 0xBA, 0x18),
        pins="CLK=PF10.9 NCS=PB6.10 IO0=PF8.10 IO1=PF9.10 IO2=PF7.9 IO3=PF6.9", size=1 << 24, wide=False, fsize=23,
    ),
    "F769": Fitted(
        part="STM32F769NI", controller="QUADSPI", chip="MX25L51245G", base=0xA0001000, id=(0xC2, 0x20, 0x1A),
        pins="CLK=PB2.9 NCS=PB6.10 IO0=PC9.9 IO1=PC10.9 IO2=PE2.9 IO3=PD13.9", size=1 << 26, wide=True, fsize=25,
    ),
    "H745": Fitted(
        part="STM32H745XI", controller="QUADSPI", chip="MT25QL512", base=0x52005000, id=(0x20, 0xBA, 0x20), count=2,
        pins="CLK=PF10.9 NCS=PG6.10 IO0=PD11.9 IO1=PF9.10 IO2=PF7.9 IO3=PF6.9 IO4=PH2.9 IO5=PH3.9 IO6=PG9.9 IO7=PG14.9",
        size=1 << 27, wide=True, fsize=26,
    ),
    "L476": Fitted(
        part="STM32L476VG", controller="QUADSPI", chip="N25Q128A", base=0xA0001000, id=(0x20, 0xBA, 0x18),
        pins="CLK=PE10.10 NCS=PE11.10 IO0=PE12.10 IO1=PE13.10 IO2=PE14.10 IO3=PE15.10", size=1 << 24, wide=False,
        fsize=23,
    ),
    "L496": Fitted(
        part="STM32L496AG", controller="QUADSPI", chip="MX25R6435F", base=0xA0001000, id=(0xC2, 0x28, 0x17),
        pins="CLK=PA3.10 NCS=PB11.10 IO0=PB1.10 IO1=PB0.10 IO2=PA7.10 IO3=PA6.10", size=1 << 23, wide=False, fsize=22,
    ),
}  # fmt: skip
OCTAL: Final = {
    "L4R9": Fitted(
        part="STM32L4R9AI", controller="OCTOSPI1", chip="MX25LM51245G", base=0xA0001000, id=(0xC2, 0x85, 0x3A), port=2,
        pins="CLK=PI6.5 NCS=PG12.5 IO0=PI11.5 IO1=PI10.5 IO2=PI9.5 IO3=PH8.5 IO4=PH9.5 IO5=PH10.5 IO6=PG9.5 IO7=PG10.5"
        " DQS=PG15.5", size=1 << 26, wide=True, fsize=25,
    ),
    "L4S5": Fitted(
        part="STM32L4S5VI", controller="OCTOSPI1", chip="MX25R6435F", base=0xA0001000, id=(0xC2, 0x28, 0x17),
        pins="CLK=PE10.10 NCS=PE11.10 IO0=PE12.10 IO1=PE13.10 IO2=PE14.10 IO3=PE15.10", size=1 << 23, wide=False,
        fsize=22,
    ),
    "L562": Fitted(
        part="STM32L562QE", controller="OCTOSPI1", chip="MX25LM51245G", base=0x44021000, id=(0xC2, 0x85, 0x3A),
        pins="CLK=PA3.10 NCS=PA2.10 IO0=PB1.10 IO1=PB0.10 IO2=PA7.10 IO3=PA6.10 IO4=PC1.10 IO5=PC2.10 IO6=PC3.10"
        " IO7=PC0.3 DQS=PB2.10", size=1 << 26, wide=True, fsize=25,
    ),
}  # fmt: skip
"""Those with OCTOSPI."""


def quadspi(name: str, body: str, *, ready: bool = True) -> str:
    """C for a board with QUADSPI: `body` in main_ behind the set-up, or alone where it is not *ready*.

    It has `on()`, and READ, PROGRAM and ERASE, the commands of the chip with its width of addresses."""
    board = BOARDS[name]
    m7, h7 = board.family in ("STM32F7", "STM32H7"), board.family == "STM32H7"
    read, program, erase = (0x0C, 0x12, 0x21) if board.wide else (0x0B, 0x02, 0x20)
    cr = f"1u << 4 | {board.prescaler - 1}u << 24{' | 1u << 6' if board.count > 1 else ''}"
    return f"""
#define QSPI {board.base:#x}
#define WIDTH {3 if board.wide else 2}u
#include "qspi.h"
#define READ ({read:#x}u | I1 | A1 | D1 | DUMMY(8))
#define PROGRAM ({program:#x}u | I1 | A1 | D1)
#define ERASE ({erase:#x}u | I1 | A1)
#define STATUS (0x05u | I1 | D1)
#define B ((volatile uint8_t *)0x20002000)
#define CHIPS {board.count}u
{_MPU if m7 else "static void mpu(uint32_t power) { (void)power; }"}
{board.setup()}
{_SETTLE if h7 else "static void settle(void) { }"}
static void on(void)
{{ mpu(0); pins(); Q_CR = {cr}; Q_DCR = {board.fsize}u << 16 | 4u << 8; Q_CR = {cr} | 1; settle(); }}
__attribute__((unused)) static void enable(void)
{{ q_command(0x06 | I1, 0); q_poll(STATUS, CHIPS > 1 ? 0x202 : 2, CHIPS > 1 ? 0x202 : 2, CHIPS); }}
__attribute__((unused)) static void ready(void) {{ q_poll(STATUS, CHIPS > 1 ? 0x101 : 1, 0, CHIPS); }}
__attribute__((unused)) static void wipe(uint32_t at) {{ enable(); q_command(ERASE, at); ready(); }}
__attribute__((unused)) static void page(uint32_t at, uint32_t count)
{{ enable(); q_write(PROGRAM, at, B, count); ready(); }}
__attribute__((unused)) static void map(void)
{{ q_read(STATUS, 0, B, CHIPS); q_idle(); Q_AR = 0; mpu({board.fsize + 1}); Q_CCR = MAPPED_MODE | READ; }}
__attribute__((unused)) static void unmap(void)
{{ if (Q_SR & Q_BUSY) {{ Q_CR |= 2; while (Q_CR & 2) {{}} }} q_idle(); mpu(0); settle(); Q_CCR = 0; }}
void main_(void) {{ {"on();" if ready else ""} {body} }}
"""


def octospi(name: str, body: str, *, ready: bool = True) -> str:
    """The same for a board with OCTOSPI; on STM32L4R9 it is brought to port 2, whose pins need their supply."""
    board = OCTAL[name]
    read, program, erase = (0x0C, 0x12, 0x21) if board.wide else (0x0B, 0x02, 0x20)
    route = ""
    if board.port == 2:
        route = (
            "REG(0x40021058) |= 1u << 28; (void)REG(0x40021058); REG(0x40007004) |= 1u << 9;"
            " RCC_PORTENR |= 1u << 20; (void)RCC_PORTENR; REG(0x50061c04) = 0; REG(0x50061c08) = 0x03010111;"
        )
    return f"""
#define OSPI {board.base:#x}
#define WIDTH {3 if board.wide else 2}u
#include "ospi.h"
#define READ {read:#x}
#define PROGRAM {program:#x}
#define ERASE {erase:#x}
#define B ((volatile uint8_t *)0x20002000)
{board.setup()}
static void on(void) {{ {route} pins(); O_CR = 0; O_DCR1 = 1u << 24 | {board.fsize}u << 16 | 4u << 8;
    O_DCR2 = {board.prescaler - 1}; O_TCR = 1u << 30; O_CR = 1; }}
__attribute__((unused)) static void enable(void) {{ o_command(SPI, 0x06, 0); o_poll(SPI, 0x05, 2, 2); }}
__attribute__((unused)) static void ready(void) {{ o_poll(SPI, 0x05, 1, 0); }}
__attribute__((unused)) static void wipe(uint32_t at) {{ enable(); o_command(SPI | SPI_A, ERASE, at); ready(); }}
__attribute__((unused)) static void page(uint32_t at, uint32_t count)
{{ enable(); o_write(SPI | SPI_A | SPI_D, PROGRAM, at, B, count); ready(); }}
__attribute__((unused)) static void map(void) {{ o_map(SPI | SPI_A | SPI_D, READ, 8); }}
__attribute__((unused)) static void unmap(void)
{{ if (O_SR & O_BUSY) {{ O_CR |= 2; while (O_CR & 2) {{}} }} o_idle(); O_CR &= ~(3u << 28); }}
void main_(void) {{ {"on();" if ready else ""} {body} }}
"""


def twin_of(name: str, source: str, **changes: Any) -> Twin:
    """A powered twin of a board that runs *source*; *changes* to its table `external`."""
    board = {**BOARDS, **OCTAL}[name]
    twin = Twin(board.part, external=[board.external(**changes)])
    twin.flash_load(0x08000000, firmware(source, board.part))
    twin.power_on()
    return twin


def package(twin: Twin) -> Package:
    """The flash of the only controller that has some."""
    (found,) = [b.package for b in twin.blocks.values() if isinstance(b, SerialMemory) and b.package is not None]
    return found


def chip(twin: Twin, number: int = 0) -> NorChip:
    """One chip of it."""
    return package(twin).chips[number]
