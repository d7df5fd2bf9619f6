"""Tiny firmware for the twin: C in, a running Twin out."""

from __future__ import annotations

import functools
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spboot import chips
from spboot.builder.compiler import zig_command
from spboot.errors import TwinError
from spboot.formats import elf
from spboot.twin import Twin
from tests import families

from .gdb_desk import COUNTER, Desk

HERE = Path(__file__).parent
OUT, DONE = 0x20000100, 0x200000F0
_START = """#include "common.h"
extern void main_(void); extern void nmi(void); extern void hard(void); extern void bus(void); extern void usage(void);
extern void svc(void); extern void pendsv(void); extern void tick(void); extern void irq(void);
extern void default_(void);
#define WEAK(n) __attribute__((weak, alias("default_"))) void n(void)
void default_(void) { for (;;) { } }
WEAK(nmi); WEAK(hard); WEAK(bus); WEAK(usage); WEAK(svc); WEAK(pendsv); WEAK(tick); WEAK(irq);
__attribute__((weak, alias("reset"))) void first(void);
void reset(void) { main_(); DONE = 1; for (;;) { } }
__attribute__((section(".vectors"), used)) void *const vectors[98] = {
    (void *)STACK, (void *)first, (void *)nmi, (void *)hard, (void *)default_, (void *)bus, (void *)usage,
    0, 0, 0, 0, (void *)svc, 0, 0, (void *)pendsv, (void *)tick, [16 ... 97] = (void *)irq };
"""
_LAYOUT = """
ENTRY(reset)
SECTIONS {
  . = 0x08000000;
  .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) }
  /DISCARD/ : { *(.ARM.*) *(.comment) *(.note*) }
}
"""
_CPUS = {
    "cm0p": ("--target=thumbv6m-none-eabi", "-mcpu=cortex-m0plus", "-mfloat-abi=soft"),
    "cm4": ("--target=thumbv7em-none-eabi", "-mcpu=cortex-m4", "-mfloat-abi=soft"),
    "cm4f": ("--target=thumbv7em-none-eabi", "-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
    "cm7": ("--target=thumbv7em-none-eabi", "-mcpu=cortex-m7", "-mfloat-abi=soft"),
    "cm33": ("--target=thumbv8m.main-none-eabi", "-mcpu=cortex-m33", "-mfloat-abi=soft"),
}
_FLAGS = [
    "-ffreestanding",
    *("-Oz", "-g0", "-std=gnu11", "-fno-unwind-tables", "-fno-sanitize=undefined", "-fno-builtin", "-w"),
]
_ZIG = zig_command()


@functools.cache
def _compile(source: str, cpu: str, stack: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "f.c").write_text(source)
        given = (f"-DSTACK={stack:#x}", *_CPUS[cpu], *_FLAGS, "-I", str(HERE))
        subprocess.run([*_ZIG, "clang", *given, "-c", "f.c", "-o", "f.o"], cwd=folder, check=True)
        return (Path(folder) / "f.o").read_bytes()


@functools.cache
def build(source: str, part: str = "STM32L476RG") -> bytes:
    """Compile *source*, which defines main_(), to an ELF.  Handlers: nmi hard bus usage svc pendsv tick irq."""
    chip = chips.load(part)
    facts = families.ALL[chip.family]
    cpu = chip.core + ("f" if facts.fpu else "")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "f.ld").write_text(_LAYOUT)
        (work / "s.o").write_bytes(_compile(_START, cpu, facts.stack))
        (work / "f.o").write_bytes(_compile(f'#include "{facts.header_of(part)}"\n' + source, cpu, facts.stack))
        subprocess.run([*_ZIG, "ld.lld", "-T", "f.ld", "s.o", "f.o", "-o", "f.elf"], cwd=work, check=True)
        return (work / "f.elf").read_bytes()


@functools.cache
def firmware(source: str, part: str = "STM32L476RG") -> bytes:
    """The flash image of *source*, from 0x08000000."""
    (segment,) = elf.read("f.elf", build(source, part)).segments
    assert segment.address == 0x08000000
    return segment.data


def twin_of(source: str, part: str = "STM32L476RG") -> Twin:
    """A powered twin with the firmware compiled from *source*."""
    twin = Twin(part)
    twin.flash_load(0x08000000, firmware(source, part))
    twin.power_on()
    return twin


@pytest.fixture
def make() -> Callable[[str], Twin]:
    """`twin_of` of the part that most tests are about."""
    return twin_of


def done(twin: Twin) -> bool:
    """Whether main_() returned."""
    return twin.ram_read(DONE, 4) == b"\x01\0\0\0"


def finish(twin: Twin, seconds: float = 1.0) -> None:
    """Run until main_() returned."""
    assert twin.run(until=lambda: done(twin), seconds=seconds), twin.faults


def out(twin: Twin, index: int = 0) -> int:
    """A word that the firmware left in OUT."""
    return int.from_bytes(twin.ram_read(OUT + 4 * index, 4), "little")


def refuses(part: str, code: str, message: str, *, before: str = "") -> None:
    """The twin of *part* stops at *code*, in main_() behind *before*, with a message that matches and says where."""
    twin = twin_of(f"{before} void main_(void) {{ {code} for (volatile int i = 0; i < 99; i++) {{}} }}", part)
    with pytest.raises(TwinError, match=message) as caught:
        twin.run(seconds=3)
    assert "PC 0x0800" in str(caught.value)


@pytest.fixture
def desk_of() -> Iterator[Callable[..., Desk]]:
    """Twins with a gdb server, made of a source and a part."""
    desks = []

    def make(source: str, part: str = "STM32L476RG") -> Desk:
        desks.append(Desk(twin_of(source, part)))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def desk(desk_of: Callable[..., Desk]) -> Desk:
    """One that counts."""
    return desk_of(COUNTER)
