"""What decoding costs on the chip: cycles by byte of NEW, stack and state, by the cost model of the twin.

python -m bench.delta.cycles measures every pair of three products on Cortex-M4 and M0+, and fails above the limits of
budgets.toml."""

from __future__ import annotations

import argparse
import struct
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.delta import corpus, limits, page
from bench.delta.options import parse
from bench.told import told
from spboot import delta
from spboot.boards import Board
from spboot.builder import headers
from spboot.builder.compiler import toolchain
from spboot.formats import elf
from spboot.formats.spec import data_path
from spboot.twin.measure.callee import Callee, Core
from spboot.version import Version

_SOURCES = ("core/delta.c", "core/prior.c", "core/range.c", "core/moves.c", "core/reference.c", "boot/memory.c")
_ENTRIES = ("bench_decode", "bench_state_size")
_SOURCE: Final = "pybricks"  # three products, for each core one; the whole corpus would take four times as long
_CORES: Final[tuple[Core, ...]] = ("cm4", "cm0p")
_HEAD: Final = "| pair | M4 | M0+ |\n|---|--:|--:|\n"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One pair: bytes of NEW, and on each core the cycles for one of them."""

    pair: str
    new: int
    per_byte: dict[Core, float]


class Decoder:
    """The decoder compiled as the bootloader has it, on one core."""

    def __init__(self, folder: Path, core: Core, compiler: str = "clang") -> None:
        path = _build(folder, core, compiler)
        self._callee = Callee(path, core)
        sizes = {use.name: use.size for use in elf.read(path.name, path.read_bytes()).uses}
        self.size = sizes[".text"]
        """Bytes of code and tables, those of the harness included."""
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
    tools = toolchain(compiler, core)
    headers.write(folder / "generated", Board.load("NUCLEO-L476RG"), Version.parse("0.0.0"))
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


def measure(pair: corpus.Pair, decoders: dict[Core, Decoder]) -> Row:
    """Encode *pair* and decode it on each core.  Raises CorpusError."""
    old, new = corpus.firmware(pair.product, pair.old), corpus.firmware(pair.product, pair.new)
    stream = delta.encode(old, new, base=pair.base)
    costs = {core: decoder.decode(old, new, stream).per_byte for core, decoder in decoders.items()}
    return Row(pair=pair.name, new=len(new), per_byte=costs)


def mean(rows: Sequence[Row], core: Core) -> float:
    """Cycles by byte over the whole corpus: a long image counts more than a short one."""
    return sum(row.per_byte[core] * row.new for row in rows) / sum(row.new for row in rows)


def render(rows: Sequence[Row], decoders: dict[Core, Decoder]) -> str:
    """The section of docs/delta.md."""
    lines = [_line(row.pair, [row.per_byte[core] for core in _CORES]) for row in rows]
    lines += [
        _line("**all bytes**", [mean(rows, core) for core in _CORES]),
        _line("mean of the pairs", [sum(row.per_byte[core] for row in rows) / len(rows) for core in _CORES]),
        _line("worst pair", [max(row.per_byte[core] for row in rows) for core in _CORES]),
    ]
    sizes = ", ".join(f"{decoder.size:,} on {core}" for core, decoder in decoders.items())
    return f"\n{_HEAD}{''.join(lines)}\nBytes of code and tables, with the harness: {sizes}.\n"


def _line(name: str, cells: Sequence[float]) -> str:
    return f"| {name} | " + " | ".join(f"{cell:,.0f}" for cell in cells) + " |\n"


@told
def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.delta.cycles")
    options, chosen = parse(parser, "write the table into docs/delta.md", _SOURCE)
    with tempfile.TemporaryDirectory() as folder:
        decoders = {}
        for core in _CORES:
            (Path(folder) / core).mkdir()
            decoders[core] = Decoder(Path(folder) / core, core)
        rows = []
        for pair in chosen:
            rows.append(measure(pair, decoders))
            print(_line(rows[-1].pair, list(rows[-1].per_byte.values())), end="", flush=True)
        section = render(rows, decoders)
    print(section)
    if options.write:
        page.write(section, "cycles")
    if len(chosen) == len(corpus.pairs(_SOURCE)):
        limits.check({f"cycles_{core}": mean(rows, core) for core in _CORES})
    limits.check({"decoder": max(decoder.size for decoder in decoders.values())})
    return 0


if __name__ == "__main__":
    sys.exit(main())
