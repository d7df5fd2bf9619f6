"""The two compilers: clang and ld.lld out of the ziglang package, and arm-none-eabi-gcc.

Sources are named relative to the folder the compiler runs in, and nothing else of the place or the time of a build
gets into its output: the same sources give the same bytes anywhere."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version as package_version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from spboot.disk import is_full
from spboot.errors import BuildError, not_installed

_LOG = logging.getLogger(__name__)

NAMES: Final = ("clang", "gcc")

GCC_SWEPT: Final = (12, 14)
"""Releases of GCC whose bootloaders were swept for skipped instructions that decide (docs/evidence.md)."""

_WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wpedantic")
_COMMON = ("-std=c11", "-ffreestanding", "-flto", "-ffunction-sections", "-fdata-sections", "-fno-common")
_LLVM_SMALL = (
    *("-inline-threshold=5", "-disable-lsr", "-disable-machine-licm", "-enable-pre=false", "-split-spill-mode=size"),
    *("-arm-promote-constant=true", "-tail-merge-size=2", "-disable-block-placement"),
)
"""Of thresholds for link-time inlining from -200 to 75 this one gives the smallest sum over the boards.  Also with -Oz
LLVM spends registers on loop counters, on what does not change in a loop, and on expressions that may come again;
constants next to their code and common ends of two instructions pay; placing blocks for speed copies their ends."""
_GCC_SMALL = (
    *("-fno-move-loop-invariants", "-fno-tree-loop-im", "-fno-tree-loop-ivcanon", "-fno-schedule-insns2"),
    *("-fno-caller-saves", "-fno-if-conversion", "-fno-jump-tables", "-fno-thread-jumps"),
    *("-fno-inline-small-functions", "-fno-section-anchors", "-fno-ssa-phiopt", "-fno-tree-dominator-opts"),
)
"""All of these spend registers, wide instructions and copies of code on speed, also with -Os."""
_GCC_SMALL_THUMB2 = ("-fno-ivopts", "-fno-tree-sink", "-fira-region=all")
"""Shorter where instructions have all addressing modes; on Cortex-M0+ longer."""
_CORES: Final = {
    "cm0p": ("thumbv6m-none-eabi", "cortex-m0plus"),
    "cm4": ("thumbv7em-none-eabi", "cortex-m4"),
    "cm7": ("thumbv7em-none-eabi", "cortex-m7"),
    "cm33": ("thumbv8m.main-none-eabi", "cortex-m33"),
}
"""Core in the part facts -> (clang triple, -mcpu).  Always soft float: nothing here uses the FPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """One compiler for one core."""

    name: str
    compile: tuple[str, ...]
    link: tuple[str, ...]
    link_libraries: tuple[str, ...]
    program: tuple[str, ...]
    """What calls the compiler, without options."""
    warnings: tuple[str, ...] = ()
    """Sentences on what its user should know."""

    def version(self) -> str:
        """What the compiler calls itself, without where it is installed.  Raises BuildError."""
        said = run([*self.program, "--version"], Path()).splitlines()[0]
        return f"{said}, ziglang {package_version('ziglang')}" if self.name == "clang" else said.partition(" ")[2]

    def compile_file(
        self, source: str, output: Path, includes: Sequence[Path | str], cwd: Path, options: Sequence[str] = ()
    ) -> None:
        """Compile *source* (relative to *cwd*) with the include folders and *options* given.  Raises BuildError."""
        flags = [*options, *(f"-I{folder}" for folder in includes)]
        run([*self.compile, *flags, "-c", source, "-o", str(output)], cwd)

    def preprocess(self, source: str, includes: Sequence[Path | str], cwd: Path) -> str:
        """What the preprocessor makes of *source*; a file with it and the suffix .i compiles.  Raises BuildError."""
        return run([*self.compile, *(f"-I{folder}" for folder in includes), "-E", source], cwd)

    def link_files(
        self, objects: Sequence[str], script: str, output: str, cwd: Path, library: str | None = None
    ) -> None:
        """Link; all names relative to *cwd*; a map stands beside the output.  Raises BuildError."""
        search = self._option("-L", library) if library else []
        map_file = Path(output).with_suffix(".map").as_posix()
        arguments = [*self._option("-Map=", map_file), "-T", script, *search, "-o", output, *objects]
        run([*self.link, *arguments, *self.link_libraries], cwd)

    def _option(self, flag: str, value: str) -> list[str]:
        if self.name == "gcc" and flag != "-L":
            return [f"-Wl,{flag}{value}"]
        return [f"{flag}{value}"]


@cache
def toolchain(name: str, core: str) -> Toolchain:
    """The compiler *name* ("clang" or "gcc") for *core*, as "cm4".  Raises BuildError when it cannot be had, as
    ExtraError when it is not installed."""
    triple, cpu = target_of(core)
    if name == "clang":
        return _clang(triple, cpu)
    if name == "gcc":
        return _gcc(cpu)
    raise BuildError(f"unknown compiler {name!r}; known: {', '.join(NAMES)}")


def target_of(core: str) -> tuple[str, str]:
    """What compilers call *core*: clang's triple, and -mcpu.  Raises BuildError."""
    if core not in _CORES:
        raise BuildError(f"no compiler flags for core {core!r}; known: {', '.join(_CORES)}")
    return _CORES[core]


def _clang(triple: str, cpu: str) -> Toolchain:
    headers, zig = _ziglang() / "lib" / "include", zig_command()
    return Toolchain(
        name="clang",
        compile=(
            *(
                *zig,
                "clang",
                f"--target={triple}",
                f"-mcpu={cpu}",
                "-mfloat-abi=soft",
                "-Oz",
                "-fno-unroll-loops",
                "-g0",
                *_COMMON,
            ),
            *("-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-nostdinc", "-isystem", str(headers)),
            *(*_WARNINGS, "-Werror", "-Wno-gnu-designator", "-Qunused-arguments"),
        ),
        link=(
            *zig,
            "ld.lld",
            "--gc-sections",
            "--build-id=none",
            "-O2",
            "--lto-O2",
            "--icf=all",
            *(word for option in _LLVM_SMALL for word in ("-mllvm", option)),
            "-z",
            "max-page-size=4",
        ),
        link_libraries=(),
        program=(*zig, "clang"),
    )


def _ziglang() -> Path:
    found = find_spec("ziglang")
    if found is None or found.origin is None:
        raise not_installed("the compiler", "build")
    return Path(found.origin).parent


def zig_command() -> tuple[str, ...]:
    """What starts the program of the ziglang package: itself, as a Python in front of it takes as long as a
    compilation.  Raises ExtraError when it is not installed."""
    program = _ziglang() / ("zig.exe" if sys.platform == "win32" else "zig")
    return (str(program),) if program.is_file() else (sys.executable, "-m", "ziglang")


def _gcc(cpu: str) -> Toolchain:
    gcc = shutil.which("arm-none-eabi-gcc")
    if gcc is None:
        raise BuildError(
            "arm-none-eabi-gcc is not installed: use --compiler clang, or install GCC for Arm (make tools)"
        )
    warnings = _gcc_warnings(gcc)
    strict = () if warnings else ("-Werror",)  # another release has other warnings
    machine = (f"-mcpu={cpu}", "-mthumb", "-mfloat-abi=soft")
    small = _GCC_SMALL if cpu == _CORES["cm0p"][1] else (*_GCC_SMALL, *_GCC_SMALL_THUMB2)
    return Toolchain(
        name="gcc",
        compile=(gcc, *machine, "-Os", "-g0", *small, *_COMMON, *_WARNINGS, *strict),
        link=(
            gcc,
            *machine,
            "-Os",
            *small,
            "-flto",
            "-nostdlib",
            "-Wl,--gc-sections",
            "-Wl,--build-id=none",
            "-Wl,--no-warn-rwx-segments",
        ),
        link_libraries=("-lgcc",),
        program=(gcc,),
        warnings=warnings,
    )


def _gcc_warnings(gcc: str) -> tuple[str, ...]:
    """On a release that nobody swept.  Raises BuildError on one that is too old, or is none."""
    version = run([gcc, "-dumpfullversion", "-dumpversion"], Path()).strip()
    release = version.partition(".")[0]
    if not release.isdecimal():
        raise BuildError(f"{gcc} -dumpfullversion says {version[:40]!r}, expected a version of GCC: look at what it is")
    swept = " and ".join(map(str, GCC_SWEPT))
    if int(release) < GCC_SWEPT[0]:
        raise BuildError(
            f"arm-none-eabi-gcc {version} is too old, expected {GCC_SWEPT[0]} or later: use --compiler clang, which "
            "comes with spboot, or install a newer one"
        )
    if int(release) in GCC_SWEPT:
        return ()
    return (
        f"arm-none-eabi-gcc {version}: bootloaders of GCC {swept} were swept for single faults that decide, none of "
        f"GCC {release} was; for a product use --compiler clang, which comes with spboot",
    )


def run(command: Sequence[str], cwd: Path) -> str:
    """Run a tool: its output; what it says on failure becomes the error's text.  Raises BuildError."""
    _LOG.debug("%s", " ".join(command))
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        name = _tool(command)
        if is_full(said, cwd, Path(tempfile.gettempdir())):
            raise BuildError(
                f"{name} found no space left: free some where the output goes, and where temporary files and caches "
                f"are ({tempfile.gettempdir()}, {_zig_cache()})"
            )
        raise BuildError(f"{name} failed with exit code {done.returncode}:\n{said or 'it said nothing'}")
    return done.stdout


def _tool(command: Sequence[str]) -> str:
    """What a person calls the tool: clang, not the Python that brings it."""
    rest = command[2:] if tuple(command[1:3]) == ("-m", "ziglang") else command
    return rest[1] if len(rest) > 1 and Path(rest[0]).stem in ("zig", "ziglang") else Path(command[0]).name


def _zig_cache() -> str:
    return os.environ.get("ZIG_GLOBAL_CACHE_DIR", "~/.cache/zig")
