"""Compiles the native encoder with the ziglang package: for this machine, or for the platform of a wheel.

The same sources give the same bytes anywhere: what is compiled is named by file names alone."""

from __future__ import annotations

import importlib.util
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

from spboot.delta.prior import delta_prior_header
from spboot.disk import is_full
from spboot.errors import BuildError, not_installed
from spboot.formats.c_header import define, guarded, spec_header
from spboot.formats.spec import data_path

_NATIVE: Final = Path(__file__).parent / "native"
_FIRMWARE: Final = ("delta.c", "moves.c", "prior.c", "range.c", "reference.c")
_HEADERS: Final = ("bytes.h", "delta.h", "moves.h", "position.h", "prior.h", "range.h", "reference.h", "status.h")
FLAGS: Final = (
    *("-shared", "-std=c11", "-O2", "-g0", "-s", "-mcpu=baseline", "-fno-sanitize=all", "-fvisibility=hidden"),
    *("-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror"),
)
"""baseline: a cache or a wheel may be shared by machines with different processors."""


def suffix(system: str) -> str:
    """The suffix of a library on *system*, as sys.platform names it."""
    return {"win32": ".dll", "darwin": ".dylib"}.get(system, ".so")


def sources() -> dict[str, bytes]:
    """Name -> text of all that is compiled."""
    core = data_path("firmware") / "core"
    files = [*sorted(_NATIVE.glob("*.[ch]")), *(core / name for name in (*_FIRMWARE, *_HEADERS))]
    generated = {
        "spb_spec.h": spec_header(),
        "spb_config.h": guarded("SPB_CONFIG_H", [define("PARTS", 2), define("REST_ADDRESS", 0)]),
        "spb_delta_prior.h": delta_prior_header(),
    }
    return {file.name: file.read_bytes() for file in files} | {n: t.encode() for n, t in generated.items()}


def compiler() -> str:
    """The version of ziglang.  Raises ExtraError when there is none."""
    if importlib.util.find_spec("ziglang") is None:
        raise not_installed("the compiler, which makes the patch encoder for this machine,", "build")
    return version("ziglang")


def compile_library(texts: dict[str, bytes], work: Path, name: str, *options: str) -> Path:
    """The library *name* in the folder *work*, of *texts*, with further *options* of `zig cc`.

    Raises BuildError, as ExtraError without a compiler."""
    used = compiler()
    for file, text in texts.items():
        (work / file).write_bytes(text)
    units = sorted(file for file in texts if file.endswith(".c"))
    command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, *options, "-I.", "-o", name, *units]
    caches = {"ZIG_GLOBAL_CACHE_DIR": str(work / "zig"), "ZIG_LOCAL_CACHE_DIR": str(work / "zig")}
    done = subprocess.run(
        command, cwd=work, env=caches | os.environ, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode and is_full(done.stderr, work):
        raise BuildError(
            f"there is no space left in {work.parent}, where the patch encoder is compiled for this machine: free "
            "some, or choose another folder with XDG_CACHE_HOME"
        )
    if done.returncode:
        raise BuildError(
            f"the patch encoder cannot be compiled on {sys.platform} {platform.machine()} with ziglang "
            f"{used}: reinstall spboot, or report this:\n{done.stderr.strip()}"
        )
    return work / name
