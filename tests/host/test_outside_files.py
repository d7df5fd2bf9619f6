"""Applications with assets in external flash: as the linkers make them, as files of all kinds, as factory files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from spboot import cli, release
from spboot.boards import Board
from spboot.builder.compiler import toolchain
from spboot.builder.linkinclude import check_name, include_name, link_check, link_include, memory
from spboot.builder.merge import factory
from spboot.device import Device
from spboot.errors import BuildError, FormatError
from spboot.formats import intel_hex, program
from spboot.formats.segment import Segment
from spboot.image import Image
from spboot.keys import Keys
from tests import apps
from tests.delta.code import noise
from tests.system.application import SOURCE

from . import elf, hex_file, outside

BOARD = outside.board("DISCO-F469I-EXT")
SEALED = outside.board("DISCO-L476G-EXT")
INNER = Board.load("DISCO-F469I")
BASE, REST = BOARD.image_address, 0x90000000
APP = apps.startable(BOARD, noise(900, "app"))

ASSETS = """
__attribute__((section("ExtFlashSection"), used)) static const unsigned char picture[1000] = {1, 2, 3, 4};
__attribute__((section("FontFlashSection"), used)) static const char font[] = "a font of letters";
__attribute__((section("TextFlashSection"), used)) static const unsigned short texts[] = {0x48, 0x49, 0};
"""
CODE = """
__attribute__((section("ExtCode"), used, noinline)) int slow(int x); int slow(int x) { return x * 3; }
"""
SECTIONS = """
    .isr_vector : { KEEP(*(.isr_vector)) } > FLASH
    .text : { *(.text*) *(.rodata*) KEEP(*(.init_array*)) KEEP(*(.far)) } > FLASH
    _sidata = LOADADDR(.data);
    .data : { . = ALIGN(4); _sdata = .; *(.data*) *(.ramfunc*) . = ALIGN(4); _edata = .; } > RAM AT> FLASH
    .bss (NOLOAD) : { _sbss = .; *(.bss*) *(COMMON) . = ALIGN(4); _ebss = .; *(.noinit) } > RAM
    ExtFlashSection : { KEEP(*(ExtFlashSection)) *(.gnu.linkonce.r.*) . = ALIGN(4); FILLER } > QSPI
    FontFlashSection : { KEEP(*(FontFlashSection)) . = ALIGN(0x100); } > QSPI
    TextFlashSection : { KEEP(*(TextFlashSection)) KEEP(*(ExtCode)) . = ALIGN(4); } > QSPI
    /DISCARD/ : { *(.comment) *(.ARM.exidx*) }
"""
"""As the projects of CubeIDE and TouchGFX have them."""
OWN_REGION = "QSPI (rx) : ORIGIN = STM32_SECURE_PATCHING_BOOTLOADER_MULTISEG_START, LENGTH = 64M"
NAMES = (
    "spboot_external = ADDR(ExtFlashSection);\n"
    "spboot_external_end = ADDR(TextFlashSection) + SIZEOF(TextFlashSection);\n"
)


def linked(folder: Path, compiler: str, *, source: str = ASSETS, filler: str = "", region: str = "") -> Path:
    """An application with *source* in external flash; *region*: in the place of the memory that the include names."""
    folder.mkdir(exist_ok=True)
    text = memory(BOARD, include_name(BOARD))
    if region:
        text = text.replace("QSPI (r)   : ORIGIN = SPBOOT_EXTERNAL_START, LENGTH = SPBOOT_EXTERNAL_LENGTH", region)
        assert region in text
    sections = f"SECTIONS {{ _estack = ORIGIN(RAM) + LENGTH(RAM);{SECTIONS.replace('FILLER', filler)}}}\n"
    (folder / include_name(BOARD)).write_text(link_include(BOARD))
    (folder / check_name(BOARD)).write_text(link_check(BOARD))
    (folder / "app.ld").write_text(f"{text}ENTRY(Reset_Handler)\n{sections}{NAMES}INCLUDE {check_name(BOARD)}\n")
    (folder / "app.c").write_text(SOURCE.replace("NUMBER", "4") + source)
    tools = toolchain(compiler, BOARD.chip.core)
    tools.compile_file("app.c", (folder / "app.o").resolve(), (), folder)
    tools.link_files(["app.o"], "app.ld", "app.elf", folder, library=".")
    return folder / "app.elf"


@pytest.fixture(scope="module", params=["clang", "gcc"])
def compiler(request: pytest.FixtureRequest) -> str:
    try:
        toolchain(str(request.param), BOARD.chip.core)
    except BuildError as error:
        pytest.skip(str(error))
    return str(request.param)


def test_what_a_linker_makes(tmp_path: Path, compiler: str) -> None:
    """The parts of the ELF, and of the HEX that objcopy makes of it."""
    path = linked(tmp_path, compiler)
    image = Image.load(path, BOARD, "1.0.0")
    assert image.rest[:8] == bytes([1, 2, 3, 4, 0, 0, 0, 0]) and b"a font of letters\0" in image.rest[1000:1100]
    texts = bytes.fromhex("480049000000")
    assert image.rest.rstrip(b"\xff")[-8:].startswith(texts) or texts in image.rest[-12:]
    assert not image.warnings and image.size == len(image.data) + len(image.rest)
    hexed = tmp_path / "app.hex"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "ihex", str(path), str(hexed)], check=True)
    assert ":020000049000" in hexed.read_text(), "a record of type 04 says 0x90000000"
    other = Image.load(hexed, BOARD, "1.0.0")
    assert (other.data, other.rest) == (image.data, image.rest)


def test_code_outside_is_a_warning(tmp_path: Path, compiler: str) -> None:
    image = Image.load(linked(tmp_path, compiler, source=ASSETS + CODE), BOARD, "1.0.0")
    (warning,) = image.warnings
    assert "code in external flash (section 'TextFlashSection' at 0x9000" in warning


WRONG_LINKS = {
    "too large": ({"filler": ". = . + 0x780000;"}, "(overflow|will not fit|too large)"),
    "too large for the slot, in a region of its own": (
        {"filler": ". = . + 0x780000;", "region": OWN_REGION}, "spboot: what is for external flash is too large",
    ),
    "elsewhere": (
        {"region": "QSPI (rx) : ORIGIN = 0x90800000, LENGTH = 1M"}, r"spboot: the first section \(spboot_external\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_LINKS)
def test_what_the_linker_refuses(name: str, tmp_path: Path, compiler: str) -> None:
    options, words = WRONG_LINKS[name]
    with pytest.raises(BuildError, match=words):
        linked(tmp_path, compiler, **options)


def test_a_reset_handler_outside_is_no_link(tmp_path: Path, compiler: str) -> None:
    told = '__attribute__((section("ExtCode"))) void Reset_Handler(void);'
    moved = SOURCE.replace("void Reset_Handler(void);", told, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{__name__}.SOURCE", moved)
        with pytest.raises(BuildError, match="spboot: Reset_Handler is in external flash"):
            linked(tmp_path, compiler)


def test_other_boards_have_no_word_of_it() -> None:
    text = link_include(INNER) + link_check(INNER) + memory(INNER, "x")
    assert "EXTERNAL" not in text and "external" not in text and "QSPI" not in text


# files


def files(tmp_path: Path, parts: list[tuple[int, bytes]]) -> list[Path]:
    (tmp_path / "a.elf").write_bytes(elf.make(parts))
    (tmp_path / "a.hex").write_bytes(hex_file.make(parts))
    return [tmp_path / "a.elf", tmp_path / "a.hex"]


def test_parts_in_any_order_with_holes(tmp_path: Path) -> None:
    """Holes outside read as erased flash, those inside as objcopy fills them; the rest begins where its part does."""
    parts = [(REST + 0x2000, b"font"), (BASE, APP), (REST + 0x100, b"picture"), (BASE + 2000, b"end")]
    for path in files(tmp_path, parts):
        image = Image.load(path, BOARD, "1.0.0")
        assert image.data == APP.ljust(2000, b"\0") + b"end"
        assert image.rest == (b"\xff" * 0x100 + b"picture").ljust(0x2000, b"\xff") + b"font"
        assert repr(image).endswith("2003 bytes and 8196 in external flash>")


def test_a_bin_is_for_internal_flash(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(APP)
    image = Image.load(tmp_path / "a.bin", BOARD, "1.0.0")
    assert image.rest == b"" and "nothing for external flash" in image.warnings[0]
    assert not Image.load(_bin(tmp_path, INNER), INNER, "1.0.0").warnings


def _bin(tmp_path: Path, board: Board) -> Path:
    path = tmp_path / f"{board.name}.bin"
    path.write_bytes(apps.startable(board, noise(100, "x")))
    return path


APP_OF = {board.name: apps.startable(board, noise(900, "app")) for board in (BOARD, SEALED, INNER)}
RESET_OUTSIDE = APP[:4] + (REST + 0x41).to_bytes(4, "little") + APP[8:]
REFUSED: dict[str, tuple[Board, list[tuple[int, bytes]], tuple[str, ...]]] = {
    "no external part": (
        INNER, [(REST, b"font")],
        ("4 bytes at 0x90000000, which is external memory (QUADSPI, OCTOSPI)", "program that memory by itself; or have",
         "[external] and slots of two parts in the board's file"),
    ),
    "one part, where SLOT1 is": (
        SEALED, [(REST, b"font")], ("which is the place of slot1", "keep it clear of what the bootloader writes"),
    ),
    "one part, behind SLOT1": (
        SEALED, [(REST + 0x200000, b"font")],
        ("external flash outside of SLOT0 (QUADSPI, N25Q128A)", "or give both slots a second part there"),
    ),
    "too large": (
        BOARD, [(REST + 0x77FFFE, b"font")],
        ("the segment at 0x9077fffe of 4 bytes ends outside the slot's part in external flash, which is 0x90000000 .. "
         "0x9077ffff: 2 too many", "both second parts larger"),
    ),
    "too large inside": (
        BOARD, [(0x080FFFFE, b"data")], ("ends outside the slot's part in internal flash", "2 too many", "assets out"),
    ),
    "in SLOT1": (BOARD, [(0x90860000, b"font")], ("which is the place of slot1[1]",)),
    "behind everything": (
        BOARD, [(0x90FF0000, b"font")],
        ("external flash outside of SLOT0", "0x08020200 .. 0x080fffff and 0x90000000 .. 0x9077ffff only",
         "or make both second parts larger"),
    ),
    "behind the chip": (BOARD, [(0x92000000, b"font")], ("which is external memory (QUADSPI, OCTOSPI)",)),
    "in the other window": (BOARD, [(0x60000000, b"font")], ("which is external memory (FMC",)),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_bytes_for_other_places(name: str, tmp_path: Path) -> None:
    board, more, words = REFUSED[name]
    for path in files(tmp_path, [(board.image_address, APP_OF[board.name]), *more]):
        with pytest.raises(FormatError) as refused:
            Image.load(path, board, "1.0.0")
        assert all(word in str(refused.value) for word in words) and str(path) in str(refused.value)


def test_assets_alone_and_a_reset_handler_outside(tmp_path: Path) -> None:
    for path in files(tmp_path, [(REST, b"font")]):
        with pytest.raises(FormatError, match="bytes for external flash alone, and an application starts in internal"):
            Image.load(path, BOARD, "1.0.0")
    for path in files(tmp_path, [(BASE, RESET_OUTSIDE), (REST, noise(200, "code"))]):
        with pytest.raises(FormatError, match="it is in external flash, where nothing is started"):
            Image.load(path, BOARD, "1.0.0")


def test_hex_of_24_mb_takes_little_memory() -> None:
    """1 MB of it: the same lines as for a small file, and what is read is what was written."""
    segments = (Segment(0x08020000, noise(70000, "a")), Segment(0x9000FFF0, noise(1 << 20, "b")))
    text = intel_hex.write(segments)
    assert intel_hex.read("a.hex", text) == segments
    assert text.count(b":02000004") == 2 + 17 and text.endswith(b":00000001FF\n")


# factory files


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.new(tmp_path_factory.mktemp("outside") / "keys", "demo", development=True)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp("app")
    parts = [(BASE, APP), (REST, noise(70000, "picture")), (REST + 0x20000, b"font")]
    return Image.load(files(folder, parts)[0], BOARD, "1.0.0")


def test_a_factory_file_has_both_parts(tmp_path: Path, keys: Keys, image: Image) -> None:
    """As .hex and as .elf, and the twin has them in its flash chip; there is no .bin of 2 GB."""
    made = factory(apps.bootloader(BOARD, keys), image, keys)
    assert [segment.address for segment in made.segments] == [0x08000000, BOARD.slot0.address, BASE, REST]
    assert len(made.segments[1].data) == 196 and made.segments[3].data == image.rest
    with pytest.raises(FormatError, match=r"would have 2,\d{3} MB, as there are bytes for external flash: write a"):
        made.save(tmp_path / "factory.bin")
    assert not list(tmp_path.iterdir())
    for kind in ("hex", "elf"):
        path = tmp_path / f"factory.{kind}"
        made.save(path)
        assert program.load(path, 0).segments == made.segments
        device = Device(BOARD)
        device.program(path)
        assert device.twin.flash_read(REST, len(image.rest)) == image.rest
        assert device.twin.flash_read(BASE, len(image.data)) == image.data


def test_an_image_that_does_not_fit_is_not_released(keys: Keys, image: Image) -> None:
    large = Image(data=image.data, board=BOARD, version=image.version, rest=bytes(0x780001))
    with pytest.raises(FormatError, match="7864321 bytes for external flash, a slot of DISCO-F469I-EXT takes 7864320"):
        release.full_image(large, keys=keys)
    inner = Image(data=APP_OF[INNER.name], board=INNER, version=image.version, rest=b"font")
    with pytest.raises(FormatError, match="4 bytes for external flash, a slot of DISCO-F469I takes 0"):
        release.full_image(inner, keys=keys)


def test_the_commands(tmp_path: Path, keys: Keys, image: Image) -> None:
    """merge refuses a .bin, flash wants an external loader."""
    (tmp_path / "boot.bin").write_bytes(apps.bootloader(BOARD, keys))
    files(tmp_path, [(BASE, image.data), (REST, image.rest)])
    own = Keys.new(tmp_path / "keys", "demo", development=True)
    (tmp_path / "boot.bin").write_bytes(apps.bootloader(BOARD, own))
    board = str(outside.FILES[BOARD.name])
    words = ["merge", str(tmp_path / "boot.bin"), str(tmp_path / "a.hex"), "--version", "1.0.0", "--board", board]
    words += ["--keys", str(tmp_path / "keys"), "-o"]
    done = CliRunner().invoke(cli.root, [*words, str(tmp_path / "factory.bin")])
    assert isinstance(done.exception, FormatError) and "write a .hex or .elf" in str(done.exception)
    done = CliRunner().invoke(cli.root, [*words, str(tmp_path / "factory.hex")])
    assert done.exit_code == 0, done.output
    flash = ["flash", str(tmp_path / "factory.hex"), "--board", board, "--dry-run"]
    done = CliRunner().invoke(cli.root, flash)
    assert f"{len(image.rest):,} bytes for external flash: name what writes it" in str(done.exception)
    done = CliRunner().invoke(cli.root, [*flash, "--external-loader", "missing.stldr"])
    assert "missing.stldr: there is no such file" in str(done.exception)
    (tmp_path / "N25.stldr").write_bytes(b"")
    flash += ["--external-loader", str(tmp_path / "N25.stldr"), "--with", "st-flash"]
    done = CliRunner().invoke(cli.root, flash)
    assert "takes no external loader" in str(done.exception) or "was not found" in str(done.exception)
