"""python -m bench.delta.generated: patches of generated GUI applications, next to peers that take images of 16 MB, and
what encoding takes."""

from __future__ import annotations

import argparse
import json
import lzma
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.delta import gui, limits, page
from bench.delta.measure import ROOT, Bench, BenchError
from bench.told import told
from examples.gui.assets.generate import Asset

CODE: Final = 500_000
OUTSIDE: Final = 16 << 20
_BAR: Final = 1024
"""Bytes above those of new pictures, fonts and sounds under xz -9e that a patch may have."""
_PEERS: Final = ("hpatchlite tuz 4096", "hdiffpatch lzma2", "bsdiff4", "xdelta3 -9 -S lzma", "zstd --patch-from -22")
_HEAD: Final = (
    "| change | old | new | stream | bar | ratio | best of others | | ratio | CPU s a MB | peak MB |\n"
    "|---|--:|--:|--:|--:|--:|--:|---|--:|--:|--:|\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """What one pair gave.  *old*, *new*, *stream*: bytes; *new_assets*: bytes of assets that only NEW has, each under
    xz -9e, of one that has grown the difference; *memory*: peak of the whole process in bytes."""

    change: str
    old: int
    new: int
    stream: int
    new_assets: int
    cpu_s: float
    memory: int

    @property
    def bar(self) -> int:
        """What the patch may have."""
        return self.new_assets + _BAR


def encoded(change: str, code: int, outside: int) -> Encoded:
    """Encode the pair of *change* in this process; the library decodes it again.  Raises BuildError."""
    old, new = gui.pair(change, code, outside)
    started = time.process_time()
    stream = gui.encode(old, new)
    used = time.process_time() - started
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) * 1024
    return Encoded(
        change=change,
        old=len(old.whole()),
        new=len(new.whole()),
        stream=len(stream),
        new_assets=_new_assets(change, code, outside),
        cpu_s=used,
        memory=peak,
    )


def _new_assets(change: str, code: int, outside: int) -> int:
    before = gui.application(code, outside)
    known = {(each.name, each.seed): each for each in before.assets}
    size = 0
    for each in gui.CHANGES[change](before).assets:
        old = known.get((each.name, each.seed))
        if each != old:
            size += _packed(each) - (_packed(old) if old else 0)
    return size


def _packed(asset: Asset) -> int:
    return len(lzma.compress(asset.data(), preset=9 | lzma.PRESET_EXTREME))


def _others(bench: Bench, change: str, code: int, outside: int) -> tuple[int, str]:
    """The smallest patch of the peers, and whose it is.  Raises BenchError when none can be run."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        old, new = Path(name) / "old", Path(name) / "new"
        for file, parts in zip((old, new), gui.pair(change, code, outside), strict=True):
            file.write_bytes(parts.whole())
        for peer in _PEERS:
            told = bench.peer(peer, old, new, gui.CODE_AT)
            if "missing" not in told:
                found.append((int(told["sizes"]["file"]), peer))
    if not found:
        raise BenchError(f"no peer could be run on {change}")
    return min(found)


def line(made: Encoded, others: tuple[int, str]) -> str:
    """A row of the table in docs/delta.md."""
    cells = [made.change, *(f"{size:,}" for size in (made.old, made.new, made.stream, made.bar))]
    cells += [f"{made.stream / made.bar:.3f}", f"{others[0]:,}", others[1], f"{made.stream / others[0]:.3f}"]
    cells += [f"{made.cpu_s / made.new * 1e6:.1f}", f"{made.memory / 1e6:,.0f}"]
    return "| " + " | ".join(cells) + " |\n"


def _run(changes: Sequence[str], code: int, outside: int, *, write: bool) -> None:
    bench, text, all_made = Bench(), _HEAD, []
    print(_HEAD, end="")
    for change in changes:
        command = [sys.executable, "-m", "bench.delta.generated", "--only", change]
        sizes = ["--code", str(code), "--outside", str(outside)]
        done = subprocess.run([*command, *sizes], cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchError(f"{change} failed:\n{done.stderr.strip()}")
        all_made.append(Encoded(**json.loads(done.stdout)))
        told = line(all_made[-1], _others(bench, change, code, outside))
        print(told, end="", flush=True)
        text += told
    if write:
        page.write(f"\n{code:,} bytes of code and {outside:,} outside:\n\n{text}", "generated")
    limits.check({"generated_of_bar": max(made.stream / made.bar for made in all_made)})


@told
def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.delta.generated", description=__doc__)
    parser.add_argument("--change", choices=gui.CHANGES, help="one of them")
    parser.add_argument("--only", choices=gui.CHANGES, help="one of them, in this process, without peers")
    parser.add_argument("--code", type=int, default=CODE, metavar="BYTES", help="of code")
    parser.add_argument("--outside", type=int, default=OUTSIDE, metavar="BYTES", help="of pictures, fonts and sounds")
    parser.add_argument("--write", action="store_true", help="write the table into docs/delta.md (needs all changes)")
    options = parser.parse_args()
    if options.write and options.change:
        parser.error(f"--change {options.change} is one of {len(gui.CHANGES)} changes, and --write takes all")
    if options.only:
        print(json.dumps(asdict(encoded(options.only, options.code, options.outside))))
    else:
        changes = [options.change] if options.change else list(gui.CHANGES)
        _run(changes, options.code, options.outside, write=options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
