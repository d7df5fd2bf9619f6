"""Builds the bootloader of a board: generated headers, objects, link, and the outputs a user needs."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Final

from spboot import disk
from spboot.boards import Board
from spboot.builder import build_record, headers
from spboot.builder.compiler import Toolchain, toolchain
from spboot.builder.drivers import drivers
from spboot.builder.linkinclude import check_name, include_name, link_check, link_include
from spboot.builder.personal import finish
from spboot.builder.production import Production, check
from spboot.builder.program import Unit, compile_units
from spboot.builder.texts import Texts, status_sentences
from spboot.disk import reason
from spboot.errors import BuildError
from spboot.formats import elf, intel_hex, program
from spboot.formats.segment import Segment
from spboot.formats.spec import data_path, spec
from spboot.keys import Keys
from spboot.secret import Secret
from spboot.version import Version

_LIBC: Final = "include/freestanding"
_KINDS: Final = (".elf", ".hex", ".bin")
"""Of the files of a bootloader, the one with its names first."""

INCLUDES: Final = {
    "crypto": ("crypto", "@crypto", _LIBC),
    "core": ("core", "crypto", "@core", _LIBC),
    "loader": ("loader", "core", "crypto", "@core", _LIBC),
    "usb": ("usb", "loader", "core", "crypto", "@core", _LIBC),
    "driver": ("driver", "core", "@core", "@chip", _LIBC),
    "boot": ("boot", "driver", "loader", "core", "crypto", "include", "@core", "@chip", _LIBC),
}
"""Room -> folders its sources may include from: of firmware/, or with @ of the generated ones."""

_PRODUCTION: Final = "boot/production.c"
"""Of bootloaders for production alone."""

NEEDED: Final = ("FLASH", "RCC", "PWR", "GPIOA", "IWDG")
"""Blocks that need a driver, on every board, beside its console."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootloader:
    """What `build` made: the files of a bootloader for *board*, and what an application needs to link on top of it.

    >>> boot = build(board, keys, "boot")
    >>> boot.linker_include.name, boot.header.name
    ('spboot-NUCLEO-L476RG.ld', 'spboot.h')
    """

    board: Board
    elf: Path
    bin: Path
    hex: Path
    map: Path
    linker_include: Path
    linker_check: Path
    header: Path
    size: int
    """Bytes of flash the bootloader takes."""
    fingerprint: str
    """Of the key whose signatures it takes."""
    warnings: tuple[str, ...] = ()
    """Sentences on the compiler that made it."""


def find(place: Path, board: Board) -> Path | None:
    """The file of the bootloader for *board* in the folder *place*, or *place* itself; None when there is none."""
    if place.is_file():
        return place
    paths = (place / f"spboot-{board.name}{suffix}" for suffix in _KINDS)
    return next((path for path in paths if path.is_file()), None)


def needed(place: Path, board: Board) -> Path:
    """`find`, where there has to be one.  Raises BuildError."""
    found = find(place, board)
    if found is None:
        raise BuildError(f"{place}: there is no bootloader for {board.name}: make it with `spboot build`")
    return found


def boot_version() -> Version:
    """Bootloader and package share a version."""
    return Version.parse(package_version("spboot"))


def sources(board: Board, production: Production | None = None) -> dict[str, list[str]]:
    """Room -> its sources for *board*, relative to firmware/, those of a bootloader for *production* if that is given.

    Raises BuildError for an IP version without driver."""
    root = data_path("firmware")
    rooms = {
        room: sorted(f"{room}/{p.name}" for p in (root / room).glob("*.c"))
        for room in ("crypto", "core", "loader", "boot")
    }
    table = drivers()
    files = [*table.always, *table.core.get(board.chip.core, ())]
    for name in (*NEEDED, board.console.port):
        ip = board.chip.block(name).ip
        if ip not in table.ip:
            raise BuildError(f"{board.chip.name}: there is no driver for {name} ({ip}); known: {', '.join(table.ip)}")
        files += table.ip[ip]
    if board.external is not None and board.outside:
        files += table.external_files(board.chip.core, board.chip.block(board.external.controller).ip)
    if board.usb is not None:
        rooms["usb"] = sorted(f"usb/{p.name}" for p in (root / "usb").glob("*.c"))
        files += table.usb_files(board.chip.block("RCC").ip)
    if production is None:
        rooms["boot"].remove(_PRODUCTION)
    else:
        files.append(table.production[board.chip.block("FLASH").ip])
    rooms["driver"] = [f"driver/{file}" for file in dict.fromkeys(files)]
    return rooms


def driven() -> frozenset[str]:
    """IP versions that have a driver."""
    return frozenset(drivers().ip)


def build(
    board: Board,
    keys: Keys,
    folder: str | os.PathLike[str],
    *,
    compiler: str = "clang",
    user_data: bytes = b"",
    production: str | None = None,
    confirmation: str | None = None,
) -> Bootloader:
    """Compile, link and personalise the bootloader of *board* into *folder*.

    *user_data*: at most 128 bytes for SE_APP_GetSecureUserData.  *production*: "wrp", "rdp1" or "rdp2", the protection
    that it sets at its first boot and checks at every boot; "rdp2", which is for ever, needs as *confirmation* product
    and board, as "lamp NUCLEO-L476RG".  Raises BuildError.

    >>> boot = build(board, keys, "boot")
    >>> boot.hex.name, boot.size <= board.bootloader.size
    ('spboot-NUCLEO-L476RG.hex', True)
    """
    level = None if production is None else check(board, keys, production, confirmation)
    tools, output = toolchain(compiler, board.chip.core), Path(folder)
    with work_folder(output) as work:
        headers.write(work / "generated", board, boot_version(), level)
        objects = compile_units(tools, units_of(board, work, level), Texts(status_sentences()), work)
        (work / "link.ld").write_text(_link_script(board), encoding="utf-8", newline="\n")
        _link(tools, objects, board, work)
        record = partial(_record, board, keys, work, tools, level)
        made = _write_outputs(board, keys, Secret(user_data), work, output, record)
    return replace(made, warnings=tools.warnings)


def _link(tools: Toolchain, objects: list[str], board: Board, work: Path) -> None:
    try:
        tools.link_files(objects, "link.ld", "boot.elf", work)
    except BuildError as error:
        if not re.search(r"region [`']FLASH'", str(error)):
            raise
        raise BuildError(
            f"the bootloader does not fit in the {board.bootloader.size:,} bytes of flash.bootloader of {board.name}: "
            "make that larger, or leave out what the board file asks for (usb, external, keys)"
        ) from None


@contextlib.contextmanager
def work_folder(output: Path) -> Iterator[Path]:
    """A folder in *output*, which is made if need be, for one build alone; it is gone afterwards, as is an *output*
    that was made for nothing.  What the system refuses is a BuildError."""
    there = output.is_dir()
    if output.exists() and not output.is_dir():  # another build may have made it meanwhile
        raise BuildError(f"{output} is a file, expected a folder to write to: choose another output")
    try:
        output.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".work-", dir=output))
    except OSError as error:
        raise BuildError(f"{output}: cannot be written: {reason(error)}") from None
    try:
        yield work
    except OSError as error:
        raise BuildError(f"{error.filename or output}: cannot be written: {reason(error)}") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if not there:
            with contextlib.suppress(OSError):  # it holds what was built
                output.rmdir()


def units_of(board: Board, work: Path, production: Production | None = None) -> list[Unit]:
    """Every source for *board*, in the order in which it is linked, with the includes it may have."""
    generated = (work / "generated").resolve()
    return [
        Unit(source=source, name=f"{room}_{Path(source).stem}", includes=tuple(include_folders(room, generated)))
        for room, names in sources(board, production).items()
        for source in names
    ]


def include_folders(room: str, generated: Path) -> list[str]:
    """What sources of *room* may include from; *generated* is the absolute folder of the generated headers."""
    return [str(generated / folder[1:]) if folder[0] == "@" else folder for folder in INCLUDES[room]]


def _link_script(board: Board) -> str:
    facts = spec()
    ram = board.chip.memory_at(board.ram.address)
    values = {
        "FLASH_ORIGIN": board.bootloader.address,
        "FLASH_LENGTH": board.bootloader.size,
        "RAM_ORIGIN": board.ram.address,
        "RAM_LENGTH": board.ram.size,
        "BOOTRAM_LENGTH": ram.address + ram.size - board.ram.end,
        "STACK_SIZE": headers.stack_size(board),
        "LAST_SIZE": headers.last_size(board),
        "ABI_OFFSET": facts["abi"]["offset"],
        "GATE_OFFSET": facts["abi"]["gate_offset"],
        "PERSONAL_OFFSET": facts["personal"]["offset"],
        "PERSONAL_SIZE": facts["personal"]["size"],
    }
    text = (data_path("firmware") / "boot" / "link.ld.in").read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", f"{value:#x}")
    return text


def _record(
    board: Board, keys: Keys, work: Path, tools: Toolchain, production: Production | None, map_text: str
) -> bytes:
    """The text of the build record: what was compiled and linked in *work*."""
    generated, firmware = (work / "generated").resolve(), data_path("firmware")
    made = [path for path in generated.rglob("*.h") if path.is_file()]
    used = build_record.compiled((unit.source, unit.includes) for unit in units_of(board, work, production))
    ours = [path for path in used if path.is_relative_to(firmware)]
    return (
        build_record.BuildRecord(
            board=board.name,
            spboot=str(boot_version()),
            compiler=tools.name,
            compiler_version=tools.version(),
            product=keys.product,
            development=keys.development,
            sources=build_record.hashes([*ours, firmware / "boot" / "link.ld.in"], firmware),
            generated=build_record.hashes(made, generated) | build_record.hashes([work / "link.ld"], work),
            unknown=build_record.unknown_names(map_text, [*ours, *made, work / "link.ld"]),
            production=production or "",
        )
        .text()
        .encode()
    )


def _write_outputs(
    board: Board, keys: Keys, user_data: Secret, work: Path, output: Path, record: Callable[[str], bytes]
) -> Bootloader:
    """All files or none: they appear once there was room for all, and those of two builds do not mix."""
    stem = f"spboot-{board.name}"
    names = {kind: output / f"{stem}.{kind}" for kind in ("elf", "bin", "hex", "map")}
    start, linked = board.bootloader.address, (work / "boot.elf").read_bytes()
    image = finish(program.read(work / "boot.elf", linked, start).from_address(start), keys, user_data)
    segment = Segment(start, image)
    if len(image) > board.bootloader.size:
        raise BuildError(f"the bootloader has {len(image)} bytes, {board.name} leaves it {board.bootloader.size}")
    header = output / "include" / "spboot" / "spboot.h"
    linker_include, linker_check = output / include_name(board), output / check_name(board)
    # GCC's link-time optimisation names its intermediate files at random.
    text = re.sub(r"\S+\.(ltrans\d+)", r"\1", (work / "boot.map").read_text(encoding="utf-8"))
    secret = {
        names["elf"]: Secret(elf.filled("boot.elf", linked, segment)),
        names["bin"]: image,
        names["hex"]: Secret(intel_hex.write([segment])),
    }
    public = {
        linker_include: link_include(board).encode(),
        linker_check: link_check(board).encode(),
        names["map"]: text.encode(),
        output / build_record.name_of(board.name): record(text),
        header: (data_path("firmware") / "include" / "spboot" / "spboot.h").read_bytes(),
    }
    staged: dict[Path, Path] = {}
    for path, data in {**secret, **public}.items():
        staged[path] = work / path.name
        disk.write(staged[path], data, secret=path in secret)
    with disk.alone(output / stem, wait=True):
        header.parent.mkdir(parents=True, exist_ok=True)
        for path, made in staged.items():
            made.replace(path)
    return Bootloader(
        board=board,
        elf=names["elf"],
        bin=names["bin"],
        hex=names["hex"],
        map=names["map"],
        linker_include=linker_include,
        linker_check=linker_check,
        header=header,
        size=len(image),
        fingerprint=keys.fingerprint,
    )
