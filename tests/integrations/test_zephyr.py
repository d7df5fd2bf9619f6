"""The example of Zephyr without Zephyr, which the tests cannot have: each piece by the tool that reads it.  The overlay
by dtc, on a board file as Zephyr has them; the module's linker sources by gcc, in a script of ours with the names of
Zephyr's; its post-build script by cmake; the workspace and `west spboot` by west.  test_zephyr_tree.py: all of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import spboot
from spboot.boards import Board, names
from spboot.errors import FormatError
from spboot.formats.elf import symbols
from spboot.formats.spec import data_path
from spboot.image import Image
from tests.integrations.project import BOARD, SPBOOT, Project

BOARD_FILE = """\
/dts-v1/;
/ {
    #address-cells = <1>;
    #size-cells = <1>;
    chosen { zephyr,sram = &sram0; zephyr,flash = &flash0; zephyr,code-partition = &slot0_partition; };
    sram0: memory@20000000 { compatible = "mmio-sram"; reg = <0x20000000 0x18000>; };
    soc {
        #address-cells = <1>;
        #size-cells = <1>;
        flash0: flash@8000000 {
            compatible = "st,stm32-nv-flash", "soc-nv-flash";
            #address-cells = <1>;
            #size-cells = <1>;
            reg = <0x8000000 0x100000>;
            partitions {
                compatible = "fixed-partitions";
                #address-cells = <1>;
                #size-cells = <1>;
                boot_partition: partition@0 { label = "mcuboot"; reg = <0x0 0x10000>; };
                slot0_partition: partition@10000 { label = "image-0"; reg = <0x10000 0x70000>; };
                storage_partition: partition@f8000 { label = "storage"; reg = <0xf8000 0x8000>; };
            };
        };
    };
};
"""
"""The nodes of Zephyr's board files that an overlay has to do with."""

SOURCE = """\
#include "spboot/spboot.h"
#include "spboot_version.h"
extern char top[];
int data = 1, bss;
int main(void) { return SE_PATCH_SetStack(SE_PATCH_Stack_CALLER); }
void reset(void) { bss = data; (void)main(); for (;;) {} }
__attribute__((section(".vectors"), used)) void *const _vector_table[] = {top, reset, reset};
"""
SCRIPT = """\
MEMORY {{
    FLASH (rx) : ORIGIN = {flash:#x}, LENGTH = 500K
    RAM (wx) : ORIGIN = 0x20000000, LENGTH = 96K
}}
SECTIONS {{
    rom_start : {{ {pad} KEEP(*(.vectors)) }} > FLASH
    text : {{ *(.text*) *(.rodata*) {fill} }} > FLASH
    . = 0x20000000;
    {front}
#include "zephyr-ram.ld"
    datas : {{ __data_start = .; *(.data*) }} > RAM AT > FLASH
    bss (NOLOAD) : {{ __bss_start = .; *(.bss*) }} > RAM
    top = ORIGIN(RAM) + LENGTH(RAM);
    _flash_used = LOADADDR(datas) + SIZEOF(datas) - ORIGIN(FLASH);
#include "zephyr-sections.ld"
}}
"""


@pytest.mark.parametrize("name", names())
def test_the_overlay_is_the_board(name: str, tmp_path: Path) -> None:
    """Each area of the board is a partition, and Zephyr's own are gone."""
    board = Board.load(name)
    found = _partitions(BOARD_FILE + spboot.zephyr_overlay(board), tmp_path)
    start = min(run.address for run in board.chip.flash)
    areas = {"spboot": board.bootloader, "image-1": board.slot1, "spboot-journal": board.journal}
    assert found.pop("image-0") == (board.image_address - start, board.image_capacity)
    assert found.pop("image-0-header") == (board.slot0.address - start, board.vector_size)
    assert found == {label: (area.address - start, area.size) for label, area in areas.items() if area}


def _partitions(text: str, folder: Path) -> dict[str, tuple[int, int]]:
    """Label -> offset and size, as dtc understands *text*, and the partition of the image."""
    blob = folder / "board.dtb"
    subprocess.run(["dtc", "-q", "-@", "-o", blob, "-"], input=text.encode(), check=True)
    top = _fdtget(blob, "-l", "/soc/flash@8000000").split()
    assert top == ["partitions"]
    place = "/soc/flash@8000000/partitions"
    nodes = [f"{place}/{node}" for node in _fdtget(blob, "-l", place).split()]
    found = {}
    for node in nodes:
        offset, size = (int(word) for word in _fdtget(blob, "-t", "u", node, "reg").split())
        found[_fdtget(blob, node, "label").strip()] = offset, size
        assert node.endswith(f"partition@{offset:x}")
    assert _fdtget(blob, "/__symbols__", "slot0_partition").strip() in nodes
    return found


def _fdtget(*words: str | Path) -> str:
    return subprocess.run(["fdtget", *words], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def linkage(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the module makes it, with what is compiled in it."""
    folder = tmp_path_factory.mktemp("linkage")
    git = spboot.GitVersion.given(spboot.Version(1, 2, 3))
    spboot.prebuild(Board.load(BOARD), spboot.Keys.load(made / "keys"), folder, place=made / "boot", version=git)
    for part in ("ram", "sections"):
        shutil.copy(data_path("sdk") / "zephyr" / f"{part}.ld", folder / f"zephyr-{part}.ld")
    (folder / "app.c").write_text(SOURCE)
    return folder


def _linked(folder: Path, out: Path, **parts: str | int) -> str:
    """What the linker says; the script goes through the preprocessor, as Zephyr's does."""
    script = SCRIPT.format(**({"flash": 0x08008200, "pad": "", "front": "", "fill": ""} | parts))
    command = ["arm-none-eabi-gcc", "-E", "-P", "-undef", "-x", "assembler-with-cpp", f"-I{folder}", "-"]
    ready = subprocess.run(command, input=script, check=True, stdout=subprocess.PIPE, text=True).stdout
    (folder / "linker.cmd").write_text(ready)
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-nostdlib", "-ffreestanding", f"-I{folder}",
               f"-T{folder / 'linker.cmd'}", str(folder / "app.c"), "-o", str(out), "-Wl,-ereset"]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True).stderr


def test_an_image_lies_behind_the_bootloaders_ram(linkage: Path, tmp_path: Path) -> None:
    elf = tmp_path / "zephyr.elf"
    assert _linked(linkage, elf) == ""
    image = Image.load(elf, Board.load(BOARD), spboot.Version(1, 2, 3))
    assert image.address == 0x08008200
    found = {each.name: each.value for each in symbols(elf.name, elf.read_bytes())}
    assert found["__data_start"] == 0x20001500 and found["SE_PATCH_SetStack"] == 0x080000E1


WRONG: dict[str, tuple[dict[str, str | int], str]] = {
    "no overlay": ({"flash": 0x08000000}, r"spboot: the vector table \(_vector_table\) is not first in FLASH"),
    "an offset of the vectors": ({"pad": ". += 0x200;"}, r"spboot: the vector table \(_vector_table\) is not first"),
    "something in front": (
        {"front": "first (NOLOAD) : { . += 64; } > RAM"},
        "spboot: something is in front of the bootloader's RAM",
    ),
    "too large": ({"fill": ". += 450K;"}, "spboot: the image is too large for its slot"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_place_is_refused_by_the_linker(linkage: Path, tmp_path: Path, name: str) -> None:
    parts, words = WRONG[name]
    assert re.search(words, _linked(linkage, tmp_path / "zephyr.elf", **parts))


def test_bytes_in_the_bootloaders_ram_are_refused(linkage: Path, tmp_path: Path) -> None:
    """The name of the section that keeps it free is no excuse for a section with bytes."""
    elf = tmp_path / "zephyr.elf"
    assert _linked(linkage, elf) == ""
    loaded = tmp_path / "loaded.elf"
    flags = ("--set-section-flags", ".spboot_reserved=alloc,load,contents")
    subprocess.run(["arm-none-eabi-objcopy", *flags, elf, loaded], check=True, capture_output=True)
    with pytest.raises(FormatError, match="spboot_reserved"):
        Image.load(loaded, Board.load(BOARD), spboot.Version(1, 2, 3))


@pytest.fixture(scope="module")
def project(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The example in a west workspace of its own.  Its manifest is without Zephyr, which nobody can fetch here."""
    top = tmp_path_factory.mktemp("workspace")
    project = Project.new("zephyr", top / "lamp", made=made)
    manifest = project.folder / "west.yml"
    manifest.write_text(re.sub(r"  remotes:.*(?=  self:)", "", manifest.read_text(), flags=re.DOTALL))
    project.commit("v1.0.1")
    project.run("west", "init", "-l", "lamp", cwd=top)
    return project


def test_west_has_the_command(project: Project) -> None:
    top = project.folder.parent
    assert "west spboot release" in project.run("west", "spboot", "-h", cwd=top)
    said = project.run("west", "spboot", "overlay", "nucleo_l476rg", cwd=top)
    overlay = project.folder / "boards" / "nucleo_l476rg.overlay"
    assert "overlay of NUCLEO-L476RG" in said and overlay.read_text() == spboot.zephyr_overlay(Board.load(BOARD))
    assert "nothing changed" in project.run("west", "spboot", "overlay", "nucleo_l476rg", cwd=top)
    assert project.run("west", "spboot", "version", cwd=top).startswith("1.0.1")


def test_west_refuses(project: Project) -> None:
    assert "Zephyr's name of the board is missing" in project.refused("west", "spboot", "overlay")
    said = project.refused("west", "spboot", "release", "-d", "nowhere")
    assert "nowhere/zephyr/zephyr.elf: there is no such file: west build, or say -d BUILD" in said
    assert "Traceback" not in project.refused("west", "spboot", "update", "--nothing")


def test_postbuild_and_release(project: Project, linkage: Path) -> None:
    """cmake runs the script that the module hangs behind the link; `west spboot release` keeps what it was made of."""
    build = project.folder / "build" / "zephyr"
    build.mkdir(parents=True)
    assert _linked(linkage, build / "zephyr.elf") == ""
    script = data_path("sdk") / "zephyr" / "postbuild.cmake"
    words = [f"-DSPBOOT={SPBOOT}", f"-DMADE={build / 'spboot'}", f"-DFOLDER={project.folder}"]
    words += ["-DOPTIONS=--version;2.0.0", "-P", str(script)]
    project.run("cmake", f"-DELF={build / 'zephyr.elf'}", *words, cwd=build)
    made = project.release("out", "2.0.0")
    for ending in (".hex", ".elf", ".bin"):
        assert (build / f"spboot{ending}").read_bytes() == next(made.folder.glob(f"BOOT_*{ending}")).read_bytes()
    project.run("west", "spboot", "release", "--version", "2.0.0", "--allow-dirty")
    assert project.release("releases", "2.0.0").version == spboot.Version(2, 0, 0)
    said = project.refused("cmake", f"-DELF={build / 'none.elf'}", *words)
    assert "none.elf" in said and "spboot postbuild failed (1)" in said
