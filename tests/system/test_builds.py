"""Builds repeat byte for byte, in whatever folder; what they leave lying about holds no secret."""

from __future__ import annotations

import os
import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from spboot.builder import headers, merge
from spboot.builder.bootloader import build, include_folders, work_folder
from spboot.builder.compiler import run, toolchain
from spboot.builder.demo import build_demo
from spboot.builder.personal import finish
from spboot.builder.program import Unit, compile_units
from spboot.builder.texts import Texts, status_sentences
from spboot.errors import BuildError, FormatError
from spboot.formats import program
from spboot.formats.segment import Segment
from spboot.formats.spec import record, spec
from spboot.twin.measure.callee import Callee
from spboot.version import Version
from tests.system.application import converted
from tests.system.rig import Workshop


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_two_builds_in_two_folders_are_identical(shop: Workshop, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "another" / "much deeper" / "folder"
    for folder in (first, second):
        build(shop.board, shop.keys, folder, compiler=shop.compiler)
        build_demo(shop.board, Version.parse("1.0.0"), folder, compiler=shop.compiler)
    one, two = contents(first), contents(second)
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []
    assert not any(str(tmp_path).encode() in data for data in one.values())


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ('spb_console_log("%t", spb_text_of(status)); spb_console_print("\\r\\n");', None),
        ("spb_console_log(spb_text_of(status));", "spb_text_of_the_words"),
        ("spb_console_print(name);", "spb_text_of_the_words"),
        ('spb_console_put("100 %");', "enum spb_text"),
    ],
)
def test_a_format_is_a_literal(shop: Workshop, tmp_path: Path, statement: str, said: str | None) -> None:
    """What comes from elsewhere, the sentence of a status included, is never one: it would not compile."""
    source = tmp_path / "say.c"
    source.write_text(
        '#include "console.h"\n'
        "void say(enum spb_status status, const char *name);\n"
        f"void say(enum spb_status status, const char *name) {{ {statement} "
        "(void)status; (void)name; }\n"
    )
    headers.write(tmp_path / "generated", shop.board, Version(1, 0, 0))
    includes = tuple(include_folders("loader", tmp_path / "generated"))
    unit = Unit(source=str(source), name="say", includes=includes)
    texts = Texts(status_sentences())
    if said is None:
        assert compile_units(toolchain(shop.compiler, shop.board.chip.core), [unit], texts, tmp_path) == ["say.o"]
        assert texts.sentences[-2:] == ["\x02", "\r\n"]
    else:
        with pytest.raises(BuildError, match=said):
            compile_units(toolchain(shop.compiler, shop.board.chip.core), [unit], texts, tmp_path)


def test_what_does_not_fit_is_said(shop: Workshop, tmp_path: Path) -> None:
    """Neither linker's words, but how much there is, and what to do."""
    small = replace(shop.board, bootloader=replace(shop.board.bootloader, size=0x4000))
    with pytest.raises(BuildError, match=r"does not fit in the 16,384 bytes .*: make that larger"):
        build(small, shop.keys, tmp_path, compiler=shop.compiler)


def test_files_with_keys_are_the_owners_alone(shop: Workshop, tmp_path: Path) -> None:
    outputs = build(shop.board, shop.keys, tmp_path, compiler=shop.compiler)
    for path in tmp_path.rglob("*"):
        if path.is_file() and shop.keys.encryption in path.read_bytes():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for path in (outputs.elf, outputs.bin, outputs.hex):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_fixed_places(shop: Workshop) -> None:
    """ABI table, gates and personalisation area stand where the spec says, in the ELF that ships."""
    facts, symbols = spec(), Callee(shop.boot.elf).symbols
    image, base = shop.boot.bin.read_bytes(), shop.board.bootloader.address
    abi = record("abi").unpack(image[facts["abi"]["offset"] :])
    assert (abi["magic"], abi["boot_size"], abi["gate_count"]) == (facts["abi"]["magic"], len(image), 15)
    for number, name in enumerate(facts["abi"]["gates"]):
        at = facts["abi"]["gate_offset"] + number * facts["abi"]["gate_stride"]
        assert image[at : at + 4] == bytes.fromhex("004b1847"), name
        assert int.from_bytes(image[at + 4 : at + 8], "little") == symbols[name] | 1, name
    personal = record("personal").unpack(image[facts["personal"]["offset"] :])
    assert personal["magic"] == facts["personal"]["magic"]
    assert symbols["spb_reset"] - base < len(image)


def test_no_code_outside_its_rooms(shop: Workshop) -> None:
    """The ELF loads nothing but flash of the bootloader's area."""
    with shop.boot.elf.open("rb") as file:
        for segment in ELFFile(file).iter_segments("PT_LOAD"):
            if segment["p_filesz"]:
                start, end = segment["p_paddr"], segment["p_paddr"] + segment["p_filesz"]
                assert shop.board.bootloader.address <= start < end <= shop.board.bootloader.end


def test_elf_hex_and_bin_are_one_bootloader(shop: Workshop, tmp_path: Path) -> None:
    """And so are those that objcopy makes of the ELF, and what is in flash after a debugger loaded that: its hash goes
    over all of it, so no byte is left open."""
    image = Segment(shop.board.bootloader.address, shop.boot.bin.read_bytes())
    copy = tmp_path / "boot.elf"
    copy.write_bytes(shop.boot.elf.read_bytes())
    for path in (shop.boot.elf, shop.boot.hex, shop.boot.bin, converted(copy, "hex"), converted(copy, "bin")):
        assert program.load(path, image.address).segments == (image,), path.name


def another_release(shop: Workshop, **changes: int) -> bytes:
    """The bootloader with other words in its ABI table, as releases before and after this one have them."""
    image, layout = bytearray(shop.boot.bin.read_bytes()), record("abi")
    at = spec()["abi"]["offset"]
    image[at : at + layout.size] = layout.pack(**(layout.unpack(bytes(image[at:])) | changes))
    return bytes(image)


@pytest.mark.parametrize(("size", "found"), [(1280, "1280 bytes"), (0, "an unknown number of bytes")])
def test_a_bootloader_of_another_release_is_refused(shop: Workshop, tmp_path: Path, size: int, found: str) -> None:
    """Neither filled with keys, whose table would lie across its code, nor merged."""
    prebuilt = another_release(shop, personal_size=size)
    expected = record("personal").size
    said = f"this bootloader has {found} for keys and names, expected {expected}: it is of another release"
    with pytest.raises(BuildError, match=said):
        finish(prebuilt, shop.keys)
    with pytest.raises(BuildError, match=said):
        merge.factory(prebuilt, shop.made(shop.demo("1.0.0"), "1.0.0"), shop.keys)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"update_format": 2}, "updates of format 2 with patch streams of format 3"),
        ({"stream_format": 1}, "updates of format 3 with patch streams of format 1"),
        ({"update_format": 4, "stream_format": 4}, "updates of format 4 with patch streams of format 4"),
        ({"update_format": 0, "stream_format": 0}, "updates it does not name a format of"),
    ],
)
def test_a_bootloader_that_takes_other_updates_is_refused(shop: Workshop, changes: dict[str, int], found: str) -> None:
    """A device with it would leave production, and none of the updates that are made here would reach it."""
    prebuilt = another_release(shop, **changes)
    said = f"this bootloader takes {found}, and this spboot makes updates of format 3 with patch streams of format 3: "
    with pytest.raises(BuildError, match=said):
        finish(prebuilt, shop.keys)
    with pytest.raises(BuildError, match=said):
        merge.factory(prebuilt, shop.made(shop.demo("1.0.0"), "1.0.0"), shop.keys)


def test_a_bootloader_ends_where_its_place_ends(shop: Workshop) -> None:
    """A dump of the whole place is one; what reaches further has something else in it, and would lie over SLOT0."""
    boot, place = shop.boot.bin.read_bytes(), shop.board.bootloader
    made = [boot.ljust(place.size + more, b"\xff") for more in (0, 1)]
    app = shop.made(shop.demo("1.0.0"), "1.0.0")
    assert merge.factory(made[0], app, shop.keys).run_at(place.address)[: place.size] == made[0]
    with pytest.raises(FormatError, match=r"the bootloader: .* ends outside the bootloader's place"):
        merge.factory(made[1], app, shop.keys)


@pytest.mark.parametrize("image", [b"", bytes(80), bytes(4096), b"\xff" * 4096])
def test_what_is_no_bootloader_is_not_filled_with_keys(shop: Workshop, image: bytes) -> None:
    with pytest.raises(BuildError, match="this is no spboot bootloader: "):
        finish(image, shop.keys)


def test_a_folder_that_two_make_at_once(tmp_path: Path) -> None:
    """None of them takes that of the other for a file."""

    def make(number: int, both: threading.Barrier) -> None:
        both.wait()
        with work_folder(tmp_path / str(number)) as work:
            (work / "made").touch()
            (work / "made").replace(tmp_path / str(number) / "made")

    with ThreadPoolExecutor(2) as pool:
        for number in range(500):
            both = threading.Barrier(2)
            for each in [pool.submit(make, number, both) for _ in range(2)]:
                each.result()


def test_builds_into_one_folder_at_once(shop: Workshop, tmp_path: Path) -> None:
    """Each has a work folder of its own, and all files are those of one build: here both have the same keys."""
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(build, shop.board, shop.keys, tmp_path, compiler=shop.compiler) for _ in range(2)]
        outputs = [job.result() for job in jobs]
    assert outputs[0] == outputs[1]
    made = contents(tmp_path)
    assert len(made) == 8, "nothing else lies there"
    assert made[outputs[0].bin.name] == shop.boot.bin.read_bytes()


def test_a_build_that_fails_leaves_what_was_there(shop: Workshop, tmp_path: Path) -> None:
    build(shop.board, shop.keys, tmp_path / "boot", compiler=shop.compiler)
    before = contents(tmp_path)
    for folder in ("boot", "new"):
        with pytest.raises(BuildError, match="user data is 129 bytes"):
            build(shop.board, shop.keys, tmp_path / folder, compiler=shop.compiler, user_data=bytes(129))
    assert contents(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["boot"]


def test_no_space_is_said(tmp_path: Path) -> None:
    """What a compiler says on a full disk; which of them failed has a name that people know."""
    tool = tmp_path / "cc"
    tool.write_text("#!/bin/sh\necho 'error: NoSpaceLeft' >&2\nexit 1\n")
    tool.chmod(0o755)
    with pytest.raises(BuildError, match="cc found no space left: free some where the output goes"):
        run([str(tool)], tmp_path)
    tool.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(BuildError, match="cc failed with exit code 3:\nit said nothing"):
        run([str(tool)], tmp_path)
    with pytest.raises(BuildError, match=r"clang failed with exit code 1:\n.*nothing\.c"):
        run([*toolchain("clang", "cm4").compile, "nothing.c"], tmp_path)


@pytest.fixture
def gcc_that_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """GCC of this machine, but for the version that it tells."""
    folder, gcc = tmp_path / "bin", shutil.which("arm-none-eabi-gcc")
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def says(version: str) -> None:
        program = folder / "arm-none-eabi-gcc"
        program.write_text(f'#!/bin/sh\ncase "$1" in -dump*) echo "{version}";; *) exec {gcc} "$@";; esac\n')
        program.chmod(0o755)
        toolchain.cache_clear()

    yield says
    toolchain.cache_clear()


@pytest.mark.parametrize(
    ("version", "strict", "warned"), [("12.2.1", True, ""), ("14.2.1", True, ""), ("13.3.1", False, "none of GCC 13")]
)
def test_a_release_of_gcc(
    shop: Workshop, tmp_path: Path, gcc_that_says: Callable[[str], None], version: str, strict: bool, warned: str
) -> None:
    """One that was not swept builds, whatever it warns of, and the user is told."""
    gcc_that_says(version)
    made = build(shop.board, shop.keys, tmp_path / "boot", compiler="gcc")
    assert [warned in said for said in made.warnings] == [True] * bool(warned)
    assert ("-Werror" in toolchain("gcc", shop.board.chip.core).compile) is strict


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("8.3.1", "8.3.1 is too old, expected 12 or later: use --compiler clang"),
        ("sorry", "says 'sorry', expected a version"),
    ],
)
def test_what_is_no_gcc_of_today(
    shop: Workshop, tmp_path: Path, gcc_that_says: Callable[[str], None], version: str, said: str
) -> None:
    gcc_that_says(version)
    with pytest.raises(BuildError, match=said):
        build(shop.board, shop.keys, tmp_path / "boot", compiler="gcc")
    assert not (tmp_path / "boot").exists()
