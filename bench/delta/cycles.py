"""What decoding costs on the chip: cycles by byte of NEW, stack and state, by the cost model of the twin."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from spboot import boards
from spboot.build import headers
from spboot.build.compiler import toolchain
from spboot.formats.spec import data_path
from spboot.twin.callee import Callee, Core
from spboot.version import Version

_SOURCES = ("core/delta.c", "core/range.c", "core/moves.c", "core/reference.c", "boot/memory.c")
_ENTRIES = ("bench_decode", "bench_state_size")
_CORES: dict[Core, str] = {"m4": "cm4", "m0plus": "cm0p"}
_SCRIPT = """
SECTIONS {
    .text 0x08000000 : { KEEP(*(.text.bench_*)) *(.text*) *(.rodata*) }
    .data 0x20000000 : { *(.data*) *(.bss*) }
    /DISCARD/ : { *(.comment) *(.ARM.exidx*) *(.note*) *(.llvm*) }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One decoding: cycles in all and by byte of NEW, bytes of stack."""

    cycles: int
    per_byte: float
    stack: int


class Decoder:
    """The decoder compiled as the bootloader has it, on one core."""

    def __init__(self, folder: Path, core: Core, compiler: str = "clang") -> None:
        self._callee = Callee(_build(folder, core, compiler), core)
        self.state_size = self._callee.call("bench_state_size").r0

    def decode(self, old: bytes, new: bytes, stream: bytes) -> Cost:
        """Decode *stream*; raises ValueError when it does not make *new*."""
        callee = self._callee
        callee.release()
        state, to = callee.allocate(self.state_size), callee.allocate(len(new))
        sizes = callee.allocate(struct.pack("<3I", len(old), len(new), len(stream)))
        result = callee.call("bench_decode", state, callee.allocate(old), sizes, callee.allocate(stream), to)
        if result.r0 != 0 or callee.read(to, len(new)) != new:
            raise ValueError(f"the decoder on the chip does not make NEW: status {result.r0 - (result.r0 >> 31 << 32)}")
        return Cost(cycles=result.cycles, per_byte=result.cycles / max(len(new), 1), stack=result.stack)


def _build(folder: Path, core: Core, compiler: str) -> Path:
    """Compile and link decoder and harness; the ELF's path."""
    tools = toolchain(compiler, _CORES[core])
    headers.write(folder / "generated", boards.load("NUCLEO-L476RG"), Version.parse("0.0.0"))
    (folder / "link.ld").write_text(_SCRIPT + "".join(f"EXTERN({entry})\n" for entry in _ENTRIES), encoding="utf-8")
    firmware = data_path("firmware")
    includes = [firmware / "core", folder / "generated" / "core", firmware / "include" / "freestanding"]
    objects = []
    for source in (*(firmware / name for name in _SOURCES), Path(__file__).with_name("decode.c")):
        target = folder / f"{source.stem}.o"
        tools.compile_file(str(source.resolve()), target.resolve(), [i.resolve() for i in includes], folder)
        objects.append(target.name)
    tools.link_files(objects, "link.ld", "decode.elf", folder)
    return folder / "decode.elf"
