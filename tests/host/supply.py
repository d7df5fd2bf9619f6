"""A bootloader folder and releases for tests of the supply chain, without a compiler: the link map is short."""

from __future__ import annotations

from pathlib import Path

from spboot import releases
from spboot.builder import build_record, personal
from spboot.builder.build_record import BuildRecord
from spboot.formats.spec import data_path
from spboot.keys import Keys
from spboot.making import Making, postbuild
from spboot.releases import Release
from spboot.version import Version

from . import bootloader, elf
from .conftest import BOARD, NEW_APP, OLD_APP, TARGET

LLD = """\
     VMA      LMA     Size Align Out     In      Symbol
 8000000  8000000       40     4 .vectors
 8000000  8000000       40     4         boot.elf.lto.o:(.vectors)
 8000000  8000000       40     1                 vectors
 80004c1  80004c1       c4     1                 spb_aes128_ctr
 80004c1  80004c1        0     1                 $t
 80005c1  80005c1        8     1                 OUTLINED_FUNCTION_0
 80005d1  80005d1        8     1                 spb_aes128_ctr.3
 80001e8  80001e8       18     1         . = ALIGN(0x200)
"""
LLD_FOREIGN = LLD + " 8000a00  8000a00       20     4         /zig/lib/libcompiler_rt.a(udivsi3.o):(.text.__udivsi3)\n"
GNU = """\
Memory Configuration

Linker script and memory map

LOAD crypto_aes.o
LOAD /usr/lib/gcc/arm-none-eabi/12.2.1/thumb/v6-m/nofp/libgcc.a
.text           0x080004c0     0x4738
 .text          0x080004c0     0x3ce4 ltrans0.ltrans.o
                0x08000666                spb_aes128_ctr
 .text.__aeabi_uidiv
                0x080041a0       0x30 /usr/lib/gcc/arm-none-eabi/12.2.1/thumb/v6-m/nofp/libgcc.a(_udivsi3.o)
                0x080041a0                __udivsi3
 *fill*         0x080041d0        0x3 ffffffff
.glue_7         0x08004bf8        0x0
 .glue_7        0x08004bf8        0x8 linker stubs
                0x200003f0                        spb_stack_top = .
"""


def application(number: int) -> bytes:
    """The ELF of version 1.NUMBER.0."""
    return elf.make([(BOARD.image_address, OLD_APP[:900] + bytes([number]) * 40 + NEW_APP[900:])])


def record(map_text: str = LLD, **change: object) -> BuildRecord:
    """Of a bootloader that has one source."""
    firmware = data_path("firmware")
    paths = build_record.compiled([("crypto/aes.c", ("crypto", "include/freestanding"))])
    facts = {
        "board": TARGET,
        "spboot": "0.1.0",
        "compiler": "clang",
        "compiler_version": "clang version 22.1.8, ziglang 0.17.1",
        "product": "demo",
        "development": False,
        "sources": build_record.hashes(paths, firmware),
        "generated": {"core/spb_config.h": "00" * 32},
        "unknown": build_record.unknown_names(map_text, [*paths, firmware / "boot" / "start.c"]),
    }
    return BuildRecord(**{**facts, **change})  # type: ignore[arg-type]


def boot_folder(folder: Path, keys: Keys, map_text: str = LLD, **change: object) -> Path:
    """What `spboot build` leaves, as far as it matters."""
    folder.mkdir()
    (folder / f"spboot-{TARGET}.bin").write_bytes(personal.finish(bootloader.make(TARGET), keys))
    (folder / f"spboot-{TARGET}.map").write_text(map_text)
    (folder / build_record.name_of(TARGET)).write_text(record(map_text, **change).text())
    return folder


def kept(folder: Path, keys: Keys, boot: Path, count: int = 3) -> list[Release]:
    """Releases 1.0.0, 1.1.0 ... in *folder*."""
    for number in range(count):
        app = folder.parent / f"app-{number}.elf"
        app.write_bytes(application(number))
        making = Making(app=app, board=BOARD, keys=keys, version=Version(1, number, 0), name="lamp", bootloader=boot)
        postbuild(making, folder, releases.all_in(folder))
    return releases.all_in(folder)
