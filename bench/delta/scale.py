"""python -m bench.delta.scale: CPU seconds and memory of the encoder for images from 300 KB to 16 MB.

The large images are those of the corpus one behind the other, filled up with data that do not compress.  The largest is
read from an Intel HEX file of three segments, as `spboot patch` reads it."""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.delta import corpus
from bench.delta.measure import ROOT
from spboot import delta
from spboot.formats import intel_hex, program
from spboot.formats.segment import Segment

_BASE: Final = 0x0800_8000
_MB: Final = 1 << 20


def _all(which: Callable[[corpus.Pair], str], size: int) -> bytes:
    """The images of all pairs, and what fills them up to *size* bytes."""
    images = b"".join(corpus.firmware(pair.product, which(pair)) for pair in corpus.pairs("pybricks"))
    return images + random.Random(1).randbytes(size - len(images))


def _segments(code: bytes, size: int) -> bytes:
    """*code*, pictures and settings in an Intel HEX file, read again as an image of *size* bytes."""
    pictures = random.Random(2).randbytes(_MB) + bytes(range(256)) * (size // 2 // 256)
    parts = {0: code, 6 * _MB: pictures, size - 4096: b"settings" * 512}
    file = intel_hex.write(Segment(_BASE + at, data) for at, data in parts.items())
    return program.read(Path("image.hex"), file, _BASE).from_address(_BASE)


def _300_kb() -> tuple[bytes, bytes]:
    pair = corpus.pairs("pybricks")[-2]
    return corpus.firmware(pair.product, pair.old), corpus.firmware(pair.product, pair.new)


def _4_mb() -> tuple[bytes, bytes]:
    return _all(lambda pair: pair.old, 4 * _MB), _all(lambda pair: pair.new, 4 * _MB)


def _16_mb() -> tuple[bytes, bytes]:
    old, new = _4_mb()
    return _segments(old, 16 * _MB), _segments(new, 16 * _MB)


SIZES: Final = {"300 KB": _300_kb, "4 MB": _4_mb, "16 MB": _16_mb}


def _measure(name: str) -> str:
    """A row of the table in docs/delta.md."""
    old, new = SIZES[name]()
    started = time.process_time()
    stream = delta.encode(old, new, base=_BASE)
    used = time.process_time() - started
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    return f"| {name} | {len(old):,} | {len(new):,} | {len(stream):,} | {used:.0f} | {peak * 1024 / 1e6:,.0f} |"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.delta.scale", description=__doc__)
    parser.add_argument("--only", choices=SIZES, help="one of them, in this process")
    only = parser.parse_args().only
    if only:
        print(_measure(only))
        return 0
    print("| pair | old | new | stream | CPU s | peak MB |\n|---|--:|--:|--:|--:|--:|", flush=True)
    for name in SIZES:
        subprocess.run([sys.executable, "-m", "bench.delta.scale", "--only", name], cwd=ROOT, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
