"""The other tools of the field, as packages and programs give them.

Imports nothing of ours: runs in a venv of its own.  Each import of theirs stands where it is used, so that a
tool that is not installed does not take the others along."""

from __future__ import annotations

import io
import itertools
import lzma
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

FITS_SIZE: Final = 5 * 1024
"""Bytes of RAM that a decoder may take to count as one that decodes in 5 KB, the image itself not counted."""

Make = Callable[[bytes, bytes], bytes]  # (old, new) -> patch
Apply = Callable[[bytes, bytes], bytes]  # (old, patch) -> new


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One tool with one setting.  *ram*: bytes its decoder needs on a chip, None where it has none or needs far more
    than FITS_SIZE.  *package*: whose version to tell; a program of the system is named with a $ before it."""

    name: str
    package: str
    ram: int | None
    make: Make
    apply: Apply

    @property
    def fits(self) -> bool:
        """Whether it decodes in 5 KB of RAM."""
        return self.ram is not None and self.ram <= FITS_SIZE


def tool_version(package: str) -> str:
    """Name and version of what a peer runs.  Raises ImportError or FileNotFoundError when it is not installed."""
    if not package.startswith("$"):
        return f"{package} {version(package)}"
    done = subprocess.run([package[1:], "-V"], capture_output=True, text=True, check=False)
    words = (done.stdout + done.stderr).replace(",", " ").split()
    return f"{package[1:]} {next(word for word in words if word.strip('v')[0].isdigit()).strip('v')}"


def _detools(**options: Any) -> tuple[Make, Apply]:
    def make(old: bytes, new: bytes) -> bytes:
        import detools

        patch = io.BytesIO()
        detools.create_patch(io.BytesIO(old), io.BytesIO(new), patch, use_mmap=False, **options)
        return patch.getvalue()

    def apply(old: bytes, patch: bytes) -> bytes:
        import detools

        new = io.BytesIO()
        detools.apply_patch(io.BytesIO(old), io.BytesIO(patch), new)
        return new.getvalue()

    return make, apply


def _bsdiff4() -> tuple[Make, Apply]:
    def make(old: bytes, new: bytes) -> bytes:
        import bsdiff4

        return bytes(bsdiff4.diff(old, new))

    def apply(old: bytes, patch: bytes) -> bytes:
        import bsdiff4

        return bytes(bsdiff4.patch(old, patch))

    return make, apply


_LENGTH: Final = 4  # bytes before each stream


def _smallest_lzma(data: bytes) -> bytes:
    """*data* as raw LZMA with the best of its literal and position bits, told in one byte in front."""
    best = b""
    for lc, lp, pb in itertools.product(range(5), range(3), range(3)):
        if lc + lp <= 4:
            packed = bytes([(pb * 5 + lp) * 9 + lc]) + lzma.compress(data, lzma.FORMAT_RAW, filters=_lzma(lc, lp, pb))
            best = min(best or packed, packed, key=len)
    return best


def _lzma(lc: int, lp: int, pb: int) -> list[dict[str, int]]:
    preset = 9 | lzma.PRESET_EXTREME
    return [{"id": lzma.FILTER_LZMA1, "preset": preset, "dict_size": 1 << 22, "lc": lc, "lp": lp, "pb": pb}]


def _put_number(value: int) -> bytes:
    """A signed number, seven bits to the byte, low ones first, its sign lowest of all."""
    rest = value << 1 if value >= 0 else ~(value << 1)
    packed = bytearray()
    while rest > 0x7F:
        packed.append(rest & 0x7F | 0x80)
        rest >>= 7
    packed.append(rest)
    return bytes(packed)


def _get_numbers(data: bytes) -> list[int]:
    values, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            values.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    return values


def _bsdiff_lzma() -> tuple[Make, Apply]:
    """The three streams of bsdiff, each under LZMA at its best: what bsdiff could give at any price."""

    def make(old: bytes, new: bytes) -> bytes:
        from bsdiff4 import core

        control, diff, extra = core.diff(old, new)
        values = [core.decode_int64(control[at : at + 8]) for at in range(0, len(control), 8)]
        numbers = b"".join(map(_put_number, values[0::3] + values[1::3] + values[2::3]))
        streams = [_smallest_lzma(stream) for stream in (numbers, diff, extra)]
        heads = b"".join(len(stream).to_bytes(_LENGTH, "little") for stream in streams[:2])
        return len(new).to_bytes(_LENGTH, "little") + heads + b"".join(streams)

    def apply(old: bytes, patch: bytes) -> bytes:
        from bsdiff4 import core

        size, first, second = (int.from_bytes(patch[at : at + _LENGTH], "little") for at in (0, 4, 8))
        ends = (12, 12 + first, 12 + first + second, len(patch))
        plain = []
        for start, end in itertools.pairwise(ends):
            props = patch[start]
            filters = _lzma(props % 9, props // 9 % 5, props // 45)
            plain.append(lzma.decompress(patch[start + 1 : end], lzma.FORMAT_RAW, filters=filters))
        numbers, diff, extra = plain
        values = _get_numbers(numbers)
        rows = zip(*(values[at : at + len(values) // 3] for at in range(0, len(values), len(values) // 3)), strict=True)
        control = b"".join(core.encode_int64(value) for row in rows for value in row)
        return bytes(core.patch(old, size, control, diff, extra))

    return make, apply


def _hdiffpatch(config: str, *, lite: bool, **options: Any) -> tuple[Make, Apply]:
    """*lite*: HPatchLite, its format for small devices."""

    def make(old: bytes, new: bytes) -> bytes:
        import hdiffpatch

        compression = getattr(hdiffpatch, config)(**options)
        diff = hdiffpatch.diff_lite if lite else hdiffpatch.diff
        return bytes(diff(old, new, compression=compression, validate=False))

    def apply(old: bytes, patch: bytes) -> bytes:
        import hdiffpatch

        return bytes((hdiffpatch.apply_lite if lite else hdiffpatch.apply)(old, patch))

    return make, apply


def _program(make: list[str], apply: list[str]) -> tuple[Make, Apply]:
    """A program of the system.  The words OLD, IN and OUT in its arguments become paths."""

    def run(words: list[str], old: bytes, source: bytes) -> bytes:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            (folder / "old").write_bytes(old)
            (folder / "in").write_bytes(source)
            paths = {word: str(folder / word.lower()) for word in ("OLD", "IN", "OUT")}
            words = [paths.get(word, word.replace("=OLD", "=" + paths["OLD"])) for word in words]
            subprocess.run(words, check=True, capture_output=True)
            return (folder / "out").read_bytes()

    return partial(run, make), partial(run, apply)


def _peer(name: str, package: str, ram: int | None, functions: tuple[Make, Apply]) -> Peer:
    return Peer(name=name, package=package, ram=ram, make=functions[0], apply=functions[1])


def _heatshrink(window: int, lookahead: int, ram: int) -> Peer:
    options = {"compression": "heatshrink", "heatshrink_window_sz2": window, "heatshrink_lookahead_sz2": lookahead}
    return _peer(f"detools heatshrink w{window} l{lookahead}", "detools", ram, _detools(**options))


def _tuz(size: int) -> Peer:
    functions = _hdiffpatch("TuzConfig", lite=True, dict_size=size, literal_line=True)
    return _peer(f"hpatchlite tuz {size}", "hdiffpatch", size + 512, functions)


def _tamp(window: int) -> Peer:
    functions = _hdiffpatch("TampConfig", lite=True, window=window)
    return _peer(f"hpatchlite tamp w{window}", "hdiffpatch", (1 << window) + 512, functions)


def _xdelta3(second: str) -> Peer:
    make = ["xdelta3", "-e", "-9", "-S", second, "-A", "-n", "-s", "OLD", "IN", "OUT"]
    apply = ["xdelta3", "-d", "-s", "OLD", "IN", "OUT"]
    return _peer(f"xdelta3 -9 -S {second}", "$xdelta3", None, _program(make, apply))


def _zstd() -> Peer:
    make = ["zstd", "-q", "--ultra", "-22", "--long=27", "--no-check", "--patch-from=OLD", "IN", "-o", "OUT"]
    apply = ["zstd", "-q", "-d", "--long=27", "--patch-from=OLD", "IN", "-o", "OUT"]
    return _peer("zstd --patch-from -22", "$zstd", None, _program(make, apply))


PEERS: Final = (
    # RAM of detools: its C decoder's state, measured with sizeof on a 64-bit host, and 256 bytes of stack.
    _heatshrink(8, 7, 976),
    _heatshrink(10, 8, 1744),
    _heatshrink(11, 8, 2768),
    _heatshrink(12, 8, 4816),
    _peer("detools crle", "detools", 600, _detools(compression="crle")),
    _peer("detools lzma", "detools", None, _detools(compression="lzma")),
    _peer("detools arm-cortex-m4 lzma", "detools", None, _detools(compression="lzma", data_format="arm-cortex-m4")),
    # Of the others: window or dictionary, and an estimate of the rest.
    _tuz(512),
    _tuz(1024),
    _tuz(2048),
    _tuz(4096),
    _tamp(10),
    _tamp(12),
    _peer("hpatchlite lzma2", "hdiffpatch", None, _hdiffpatch("Lzma2Config", lite=True)),
    _peer("hdiffpatch lzma2", "hdiffpatch", None, _hdiffpatch("Lzma2Config", lite=False)),
    _peer("hdiffpatch zstd 22", "hdiffpatch", None, _hdiffpatch("ZStdConfig", lite=False, level=22)),
    _peer("bsdiff4", "bsdiff4", None, _bsdiff4()),
    _peer("bsdiff streams, best lzma", "bsdiff4", None, _bsdiff_lzma()),
    _xdelta3("lzma"),
    _xdelta3("djw"),
    _zstd(),
)
