"""One build is one image: as ELF, Intel HEX and binary, by two linkers, with all that linker scripts leave between
sections (docs/decisions/0030).  And the linker includes refuse at link time what could not start or update itself."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import textwrap
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from spboot import boards, release
from spboot.boards import Board
from spboot.builder import merge
from spboot.builder.compiler import NAMES
from spboot.errors import BuildError, FormatError
from spboot.formats.program import Program
from spboot.image import Image
from spboot.keys import Keys
from spboot.version import Version
from tests import apps
from tests.system.application import FLASH, RAM, SECTIONS, build, build_for, converted, script

pytestmark = pytest.mark.both_compilers

BOARD = Board.load("NUCLEO-L476RG")
V1, V2 = Version(1, 0, 0), Version(1, 1, 0)
GAPS = {
    "as CubeMX has it": SECTIONS,
    "sections on lines of 512 bytes": SECTIONS.replace("ALIGN(4)", "ALIGN(512)"),
    "sections that begin on lines of 256 bytes": SECTIONS.replace("*(.rodata*) } >", "*(.rodata*) . += 5; } >")
    .replace(".rodata :", ".rodata : ALIGN(256)")
    .replace(".init_array :", ".init_array : ALIGN(64)")
    .replace(".data :", ".data : ALIGN(16)"),
    "headers in the first segment": "    . = SPBOOT_FLASH_START + SIZEOF_HEADERS * 0;\n" + SECTIONS,
    "filled with 0xff by the script": SECTIONS.replace("> FLASH\n    .rodata", "> FLASH =0xffffffff\n    .rodata"),
    "far below .data": SECTIONS.replace("0x1230", "0x6000"),
}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.new(tmp_path_factory.mktemp("one-build") / "keys", "demo", development=True)


@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", GAPS)
def test_elf_hex_and_bin_are_one_image(name: str, compiler: str, secrets: Keys, tmp_path: Path) -> None:
    loaded: list[list[Image]] = []
    for number, version in ((4, V1), (5, V2)):
        elf = build(BOARD, tmp_path / str(number), compiler, script(BOARD, sections=GAPS[name]), number=number)
        files = (elf, converted(elf, "hex"), converted(elf, "bin"))
        loaded.append([Image.load(path, BOARD, version) for path in files])
        assert loaded[-1][2].data == files[2].read_bytes()
    made = set()
    for old, new in zip(*loaded, strict=True):
        assert old.data != new.data
        update = release.full_image(old, keys=secrets)
        patch = release.patch(old, new, keys=secrets)
        factory = merge.factory(apps.bootloader(BOARD, secrets), old, secrets)
        made.add((update, patch, *saved(factory, tmp_path)))
    assert len(made) == 1


def saved(factory: Program, folder: Path) -> list[bytes]:
    """As .hex and as .bin."""
    files = [folder / name for name in ("factory.hex", "factory.bin")]
    for file in files:
        factory.save(file)
    return [file.read_bytes() for file in files]


def test_the_gaps_are_there(tmp_path: Path) -> None:
    """What the test above is about: holes between sections and segments, within and without a segment."""
    holes = set()
    for number, sections in enumerate(GAPS.values()):
        elf = build(BOARD, tmp_path / str(number), "gcc", script(BOARD, sections=sections))
        with elf.open("rb") as file:
            loads = [s for s in ELFFile(file).iter_segments("PT_LOAD") if s["p_filesz"]]
        ends = {s["p_paddr"] + s["p_filesz"] for s in loads}
        holes |= {min((s["p_paddr"] - end for end in ends if end <= s["p_paddr"]), default=0) for s in loads}
    assert max(holes) > 0x1000
    assert len(holes) > 3


WRONG = {
    "vectors behind the code": (
        {"sections": SECTIONS.replace("> FLASH\n    .text : { ", "> FLASH\n    .text : { ").replace(
            "    .isr_vector : { KEEP(*(.isr_vector)) } > FLASH\n", ""
        ).replace("    .rodata :", "    .isr_vector : { KEEP(*(.isr_vector)) } > FLASH\n    .rodata :")},
        "the vector table (g_pfnVectors) is not first in FLASH",
    ),
    "linked at the start of flash": (
        {"flash": "ORIGIN = 0x08000000, LENGTH = 1M"},
        "the vector table (g_pfnVectors) is not first in FLASH",
    ),
    "linked at SLOT0, without VECTOR_SIZE": (
        {"flash": FLASH.replace("SPBOOT_FLASH_START", "STM32_SECURE_PATCHING_BOOTLOADER_SLOT0_START")},
        "put its section first, at SPBOOT_FLASH_START",
    ),
    "RAM of CubeMX": (
        {"ram": "ORIGIN = 0x20000000, LENGTH = 96K"},
        ".data (_sdata) is in the bootloader's RAM: begin RAM at SPBOOT_RAM_START",
    ),
    "stack in the reserved RAM": ({"stack": "0x20001500"}, "the stack (_estack) is in the bootloader's RAM"),
}  # fmt: skip


@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_script_fails_at_link(name: str, compiler: str, tmp_path: Path) -> None:
    options, words = WRONG[name]
    with pytest.raises(BuildError) as refused:
        build(BOARD, tmp_path, compiler, script(BOARD, **options))
    assert f"spboot: {words}" in str(refused.value) or words in str(refused.value)


@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", boards.names())
def test_a_right_script_links_for_every_board(name: str, compiler: str, tmp_path: Path) -> None:
    """With a stack at either end of what is allowed, too, and with names that no check knows."""
    board = Board.load(name)
    elf = build(board, tmp_path, compiler, script(board))
    assert Image.load(elf, board, V1).data
    edge = build(board, tmp_path / "edge", compiler, script(board, stack="SPBOOT_RESERVED_END + 4"))
    assert Image.load(edge, board, V1).data


@pytest.mark.parametrize("compiler", NAMES)
def test_the_script_of_the_documents_links(compiler: str, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "application.md").read_text(encoding="utf-8")
    text = re.search(r"\n( {4}INCLUDE (?:.*\n)*? {4}INCLUDE .*\n)", page)
    assert text
    assert Image.load(build(BOARD, tmp_path, compiler, textwrap.dedent(text[1])), BOARD, V1).data


@pytest.mark.parametrize("compiler", NAMES)
def test_names_of_ones_own_are_checked(compiler: str, tmp_path: Path) -> None:
    text = script(BOARD, ram=RAM).replace("_estack = ", "spboot_stack = 0x20000400; _estack = ")
    with pytest.raises(BuildError, match=r"spboot: the stack \(spboot_stack\)"):
        build(BOARD, tmp_path, compiler, text)


@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ram": "ORIGIN = 0x20000000, LENGTH = 96K"}, ["section '.data' is in RAM at 0x20000000", "0x20001500"]),
        ({"flash": "ORIGIN = 0x08000000, LENGTH = 1M"}, ["linked at 0x08000000, expected 0x08008200", "linker file"]),
        ({"stack": "0x20001500"}, ["stack pointer", "0x20001500", "bootloader's RAM"]),
        ({"stack": "0x20030000"}, ["stack pointer", "0x20030000", "0x20001504 .. 0x20018000"]),
    ],
)
def test_what_was_linked_without_the_includes_is_refused(
    options: dict[str, str], words: list[str], compiler: str, tmp_path: Path
) -> None:
    text = script(BOARD, **options).replace(f"INCLUDE spboot-{BOARD.name}-check.ld\n", "")
    text = text.replace(f"INCLUDE spboot-{BOARD.name}.ld", "SPBOOT_FLASH_START = 0x08008200;\n"
        "SPBOOT_FLASH_LENGTH = 0x6fe00;\nSPBOOT_RAM_START = 0x20001500;\nSPBOOT_RAM_LENGTH = 0x16b00;")  # fmt: skip
    elf = build(BOARD, tmp_path, compiler, text)
    with pytest.raises(FormatError) as refused:
        Image.load(elf, BOARD, V1)
    assert all(word in str(refused.value) for word in words), refused.value


@pytest.mark.parametrize(
    ("flags", "kind", "words"),
    [
        ("-mcpu=arm7tdmi -marm", "", "made for ARMv4T, expected a Cortex-M, which has Thumb only"),
        ("-mcpu=cortex-a7 -marm", "", "made for ARMv7-A, expected a Cortex-M"),
        ("-mcpu=cortex-r5 -mthumb", "", "made for ARMv7-R, expected a Cortex-M"),
        ("-mcpu=cortex-m55 -mthumb", "", "compiled for ARMv8.1-M.main, STM32L476RG runs"),
        ("-mcpu=cortex-m33 -mthumb", "", "compiled for ARMv8-M.main, STM32L476RG runs"),
        ("-mcpu=cortex-m3 -mthumb -mbig-endian", "", "big-endian, expected little-endian"),
        ("-mcpu=cortex-m3 -mthumb", "-c", "an object file that is not linked yet"),
        ("-mcpu=cortex-m3 -mthumb -fpic", "-shared", "a shared object"),
    ],
)
def test_elf_files_for_others_are_refused(flags: str, kind: str, words: str, tmp_path: Path) -> None:
    elf = build_for(BOARD, tmp_path, flags, kind)
    with pytest.raises(FormatError, match=re.escape(words)):
        Image.load(elf, BOARD, V1)


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m3", "cortex-m4"])
def test_code_that_the_core_runs_is_taken(core: str, tmp_path: Path) -> None:
    assert Image.load(build_for(BOARD, tmp_path, f"-mcpu={core} -mthumb"), BOARD, V1).data


@pytest.mark.parametrize("compiler", NAMES)
def test_the_start_of_a_c_library_is_an_entry(compiler: str, tmp_path: Path) -> None:
    """As of Keil, IAR and newlib: the reset handler calls it.  By another name it is no reset vector."""
    elf = build(BOARD, tmp_path, compiler, script(BOARD, entry="_start"))
    assert Image.load(elf, BOARD, V1).data
    subprocess.run(["arm-none-eabi-objcopy", "--redefine-sym", "_start=begin", elf, tmp_path / "b.elf"], check=True)
    with pytest.raises(FormatError, match=r"its ELF entry is .*, its reset vector .*, expected the same address"):
        Image.load(tmp_path / "b.elf", BOARD, V1)


def test_code_for_another_core_is_refused(tmp_path: Path) -> None:
    m4, m0 = Board.load("NUCLEO-L476RG"), Board.load("NUCLEO-L073RZ")
    compiled_for_m4 = dataclasses.replace(m0, chip=dataclasses.replace(m0.chip, core=m4.chip.core))
    elf = build(compiled_for_m4, tmp_path, "gcc", script(m0))
    with pytest.raises(FormatError, match="compiled for ARMv7E-M, STM32L073RZ runs ARMv6-M"):
        Image.load(elf, m0, V1)
