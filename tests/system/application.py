"""Small applications, linked by real toolchains with linker scripts of many kinds, and converted by objcopy."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from spboot.boards import Board
from spboot.builder.compiler import toolchain
from spboot.builder.linkinclude import check_name, include_name, link_check, link_include

SOURCE: Final = """
extern unsigned _estack, _sidata, _sdata, _edata, _sbss, _ebss;
void Reset_Handler(void);
struct vectors { unsigned *stack; void (*handler[15])(void); };
extern const struct vectors g_pfnVectors;
__attribute__((section(".isr_vector"), used)) const struct vectors g_pfnVectors = {&_estack, {Reset_Handler}};
__attribute__((section(".far"), used)) static const char far[] = "settings at a fixed address";
__attribute__((section(".ramfunc"), used)) static int twice(int x) { return x + x; }
__attribute__((section(".noinit"), used)) static unsigned kept[4];
__attribute__((section(".init_array"), used)) static void (*const starts[])(void) = {Reset_Handler};
static const unsigned table[] __attribute__((aligned(32), used)) = {1, 2, 3, NUMBER};
static volatile unsigned counter = 7, words[100];
void _start(void);
void _start(void) { Reset_Handler(); }
void Reset_Handler(void) {
    const unsigned *from = &_sidata;
    for (volatile unsigned *to = &_sdata; to < &_edata;) *to++ = *from++;
    for (volatile unsigned *to = &_sbss; to < &_ebss;) *to++ = 0;
    for (;; counter++) words[counter & 63] = (unsigned)twice((int)table[counter & 3]);
}
"""
"""What CubeMX's projects have: .data copied from flash, .bss, .noinit, a function in RAM, constructors, a constant at
an address of its own."""

SECTIONS: Final = """\
    .isr_vector : { KEEP(*(.isr_vector)) } > FLASH
    .text : { . = ALIGN(4); *(.text*) . = ALIGN(4); } > FLASH
    .rodata : { . = ALIGN(4); *(.rodata*) } > FLASH
    .init_array : { KEEP(*(.init_array*)) } > FLASH
    _sidata = LOADADDR(.data);
    .data : { . = ALIGN(4); _sdata = .; *(.data*) *(.ramfunc*) . = ALIGN(4); _edata = .; } > RAM AT> FLASH
    .far ORIGIN(FLASH) + 0x1230 : { KEEP(*(.far)) } > FLASH
    .bss (NOLOAD) : { . = ALIGN(4); _sbss = .; *(.bss*) *(COMMON) . = ALIGN(4); _ebss = .; } > RAM
    .noinit (NOLOAD) : { KEEP(*(.noinit)) } > RAM
    ._user_heap_stack (NOLOAD) : { . = ALIGN(8); . = . + 0x400; } > RAM
    /DISCARD/ : { *(.comment) *(.ARM.exidx*) }
"""
FLASH: Final = "ORIGIN = SPBOOT_FLASH_START, LENGTH = SPBOOT_FLASH_LENGTH"
RAM: Final = "ORIGIN = SPBOOT_RAM_START, LENGTH = SPBOOT_RAM_LENGTH"


def script(
    board: Board,
    *,
    flash: str = FLASH,
    ram: str = RAM,
    sections: str = SECTIONS,
    stack: str = "",
    entry: str = "Reset_Handler",
) -> str:
    """A linker script as users write it, with spboot's includes."""
    return f"""\
INCLUDE {include_name(board)}
MEMORY {{
    FLASH (rx) : {flash}
    RAM (rw) : {ram}
}}
ENTRY({entry})
SECTIONS {{
    _estack = {stack or "ORIGIN(RAM) + LENGTH(RAM)"};
{sections}}}
INCLUDE {check_name(board)}
"""


def build(board: Board, folder: Path, compiler: str, text: str, *, number: int = 4) -> Path:
    """The .elf of SOURCE, linked by the linker script *text*.  Raises BuildError with what the linker said."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / include_name(board)).write_text(link_include(board))
    (folder / check_name(board)).write_text(link_check(board))
    (folder / "app.ld").write_text(text)
    (folder / "app.c").write_text(SOURCE.replace("NUMBER", str(number)))
    tools = toolchain(compiler, board.chip.core)
    tools.compile_file("app.c", (folder / "app.o").resolve(), (), folder)
    tools.link_files(["app.o"], "app.ld", "app.elf", folder, library=".")
    return folder / "app.elf"


def build_for(board: Board, folder: Path, flags: str, kind: str = "") -> Path:
    """SOURCE compiled by GCC with *flags* and linked in the right places; *kind*: what the linker is told to make."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / include_name(board)).write_text(link_include(board))
    (folder / check_name(board)).write_text(link_check(board))
    (folder / "app.ld").write_text(script(board))
    (folder / "app.c").write_text(SOURCE.replace("NUMBER", "4"))
    link = "-nostdlib -Wl,--no-warn-rwx-segments -L. -T app.ld" if kind != "-c" else ""
    command = f"arm-none-eabi-gcc {flags} -Os {link} {kind} app.c -o app.elf"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder / "app.elf"


def converted(elf: Path, kind: str) -> Path:
    """*elf* by objcopy, as "hex" or "bin", as a user would do it."""
    out = elf.with_suffix(f".{kind}")
    target = {"hex": "ihex", "bin": "binary"}[kind]
    subprocess.run(["arm-none-eabi-objcopy", "-O", target, str(elf), str(out)], check=True)
    return out
