"""The linker includes: what an application's linker script needs to know of the bootloader, and what checks it.

GNU ld and ld.lld both take them.  GNU ld evaluates both sides of ||, and DEFINED sees what a script defines only behind
that line: hence the ternaries, and a second file for the end."""

from __future__ import annotations

from typing import Final

from spboot.boards import Board
from spboot.formats.spec import spec

_TEXT = """\
/* spboot linker include for {board}.  Generated; include it before MEMORY:
 *   MEMORY {{
 *       FLASH (rx) : ORIGIN = SPBOOT_FLASH_START, LENGTH = SPBOOT_FLASH_LENGTH
 *       RAM (rw)   : ORIGIN = SPBOOT_RAM_START, LENGTH = SPBOOT_RAM_LENGTH
{external_memory} *   }}
 * The vector table is the first thing in FLASH.  The last line includes {check}. */
SPBOOT_FLASH_START = {flash_start:#010x};
SPBOOT_FLASH_LENGTH = {flash_length:#x};
SPBOOT_RAM_START = {ram_start:#010x};      /* first byte behind the bootloader's RAM */
SPBOOT_RAM_LENGTH = {ram_length:#x};
SPBOOT_RESERVED_START = {reserved_start:#010x};      /* the bootloader's RAM, for as long as the device is on */
SPBOOT_RESERVED_END = {ram_start:#010x};
{external}
/* The same, as earlier releases had it. */
VECTOR_SIZE = {vector_size:#x};
{prefix}SLOT0_START = {slot0_start:#010x};
{prefix}SLOT0_END = {slot0_end:#010x};      /* last byte */
{prefix}RAM_START = {ram_start:#010x};      /* first byte that is the application's */
{prefix}RAM_TOP = {ram_top:#010x};          /* first byte after RAM: the initial stack pointer */
{external_earlier}
/* Functions of the bootloader (spboot/spboot.h); Thumb, so bit 0 is set.  GNU ld 2.44 warns of calls to a plain number.
 * It gives a symbol the type of the one symbol that its expression evaluates: here of a function of the application.
 * An application with neither main nor Reset_Handler says, before this file: spboot_function = a_function_of_mine; */
{gates}

{checks}
"""
_CHECK_TEXT = """\
/* spboot linker checks for {board}.  Generated; include it as the last line of the linker script, behind SECTIONS.
 * Names that the script has are checked, others cost nothing.  A script with names of its own says, before this line:
 *   spboot_vectors = ADDR(.my_vectors);  spboot_stack = my_stack_top;
 *   spboot_data = ADDR(.my_data);        spboot_bss = ADDR(.my_bss);{external} */
{checks}
"""
_EXTERNAL_MEMORY: Final = """\
 *       QSPI (r)   : ORIGIN = SPBOOT_EXTERNAL_START, LENGTH = SPBOOT_EXTERNAL_LENGTH
"""
_EXTERNAL: Final = """\
SPBOOT_EXTERNAL_START = {start:#010x};      /* SLOT0 in external flash: pictures, fonts, sounds; no code, no secrets */
SPBOOT_EXTERNAL_LENGTH = {length:#x};
"""
_EXTERNAL_CHECK: Final = """
 *   spboot_external = ADDR(ExtFlashSection);  spboot_external_end = ADDR(TextFlashSection) + SIZEOF(TextFlashSection);
 * which are the first and the last section in external flash"""
_MEMORY: Final = """\
/* The memory map of an application, and before it what it is made of.  Include it in the place of both. */
INCLUDE {include}
MEMORY {{
    FLASH (rx) : ORIGIN = SPBOOT_FLASH_START, LENGTH = SPBOOT_FLASH_LENGTH
    RAM (xrw)  : ORIGIN = SPBOOT_RAM_START, LENGTH = SPBOOT_RAM_LENGTH
{external}}}
"""
_PREFIX: Final = "STM32_SECURE_PATCHING_BOOTLOADER_"
_VECTORS: Final = ("g_pfnVectors", "__Vectors", "__isr_vector", "__vector_table", "vector_table", "_vector_table")
"""Of ST, CMSIS, older CMSIS, cortex-m-rt and Arm, libopencm3, Zephyr."""
_STACKS: Final = ("_estack", "__StackTop", "__stack", "_stack_start", "stack_top", "spboot_stack")
_FUNCTIONS: Final = ("spboot_function", "main", "Reset_Handler")
"""The first of them that there is gives the gates their type.  GNU ld 2.44 refuses to call a plain label of an object:
main is called itself, so it is none, while a Reset_Handler in assembly may be one."""
_RESETS: Final = ("Reset_Handler", "Reset", "reset_handler", "__reset")
_EXTERNAL_END: Final = "SPBOOT_EXTERNAL_START + SPBOOT_EXTERNAL_LENGTH"
_DATA: Final = ("_sdata", "__data_start__", "data_start", "spboot_data")
_BSS: Final = ("_sbss", "__bss_start__", "bss_start", "spboot_bss")


def include_name(board: Board) -> str:
    """What `spboot build` calls link_include()."""
    return f"spboot-{board.name}.ld"


def check_name(board: Board) -> str:
    """What `spboot build` calls link_check()."""
    return f"spboot-{board.name}-check.ld"


def memory(board: Board, include: str) -> str:
    """Text of a linker file with the memory map of an application; it includes the file *include*."""
    external = _EXTERNAL_MEMORY.replace(" *   ", "")
    return _MEMORY.format(include=include, external=external if board.slot0.rest else "")


def link_include(board: Board) -> str:
    """Text of the include for *board*."""
    rest = board.slot0.rest
    return _TEXT.format(
        board=board.name,
        check=check_name(board),
        prefix=_PREFIX,
        flash_start=board.image_address,
        flash_length=board.image_capacity,
        reserved_start=board.ram.address,
        vector_size=board.vector_size,
        slot0_start=board.slot0.address,
        slot0_end=board.slot0.end - 1,
        ram_start=board.ram.end,
        ram_length=board.ram_top - board.ram.end,
        ram_top=board.ram_top,
        external_memory=_EXTERNAL_MEMORY if rest else "",
        external=_EXTERNAL.format(start=rest.address, length=rest.size) if rest else "",
        external_earlier=f"{_PREFIX}MULTISEG_START = {rest.address:#010x};\n" if rest else "",
        gates=_gates(board),
        checks=_vector_checks(_VECTORS, " || {name} == 0"),
    )


def link_check(board: Board) -> str:
    """Text of the checks for *board*."""
    inside = "{name} >= SPBOOT_RESERVED_START && {name} < SPBOOT_RESERVED_END"
    stack = "{name} > SPBOOT_RESERVED_START && {name} <= SPBOOT_RESERVED_END"
    words = "is in the bootloader's RAM: begin RAM at SPBOOT_RAM_START"
    lines = [_vector_checks((*_VECTORS, "spboot_vectors"))]
    lines += [_assert(name, f"!({stack.format(name=name)})", f"the stack ({name}) {words}") for name in _STACKS]
    lines += [_assert(name, f"!({inside.format(name=name)})", f".data ({name}) {words}") for name in _DATA]
    lines += [_assert(name, f"!({inside.format(name=name)})", f".bss ({name}) {words}") for name in _BSS]
    if board.slot0.rest is not None:
        lines += _external_checks()
    external = _EXTERNAL_CHECK if board.slot0.rest else ""
    return _CHECK_TEXT.format(board=board.name, checks="\n".join(lines), external=external)


def _gates(board: Board) -> str:
    """A definition for each gate: the first has its type from a function of the application, the others from it.

    Without a type, or with another linker than GNU ld, the gates are the same numbers."""
    facts = spec()["abi"]
    first, *others = facts["gates"]
    address = board.bootloader.address + facts["gate_offset"] + 1
    function = "".join(f"DEFINED({name}) ? {name} : " for name in _FUNCTIONS)
    lines = [f"{first} = {address:#010x} + 0 * ({function}0);"]
    lines += [f"{name} = {first} + {number * facts['gate_stride']:#x};" for number, name in enumerate(others, 1)]
    return "\n".join(lines)


def _external_checks() -> list[str]:
    words = "is outside of SLOT0 in external flash: begin it at SPBOOT_EXTERNAL_START"
    begin = f"spboot_external >= SPBOOT_EXTERNAL_START && spboot_external <= {_EXTERNAL_END}"
    inside = f"{{name}} >= SPBOOT_EXTERNAL_START && {{name}} < {_EXTERNAL_END}"
    reset = "is in external flash, where nothing is started: link it and all that runs first into FLASH"
    large = "what is for external flash is too large: SLOT0 has SPBOOT_EXTERNAL_LENGTH bytes there"
    return [
        _assert("spboot_external", begin, f"the first section (spboot_external) {words}"),
        _assert("spboot_external_end", f"spboot_external_end <= {_EXTERNAL_END}", large),
        *(_assert(name, f"!({inside.format(name=name)})", f"{name} {reset}") for name in _RESETS),
    ]


def _vector_checks(names: tuple[str, ...], unplaced: str = "") -> str:
    """Checks that a table of one of *names* is first in FLASH.

    *unplaced*: what may be true instead, of a {name}.  ld.lld 14 and 19 evaluate what is in front of SECTIONS a first
    time before sections have their places: each is at 0 then."""
    words = "is not first in FLASH: put its section first, at SPBOOT_FLASH_START"
    rule = f"{{name}} == SPBOOT_FLASH_START{unplaced}"
    return "\n".join(_assert(name, rule.format(name=name), f"the vector table ({name}) {words}") for name in names)


def _assert(name: str, rule: str, words: str) -> str:
    return f'ASSERT(DEFINED({name}) ? {rule} : 1, "spboot: {words}")'
