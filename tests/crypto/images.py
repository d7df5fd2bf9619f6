"""Compiles firmware/crypto into images whose functions tests call, for a compiler and a core at a time."""

from __future__ import annotations

import functools
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from spboot.builder.compiler import zig_command
from spboot.formats.comb import generator_header
from spboot.formats.spec import data_path

Compiler = Literal["clang", "gcc"]

SOURCES = sorted((data_path("firmware") / "crypto").glob("*.c"))
HERE = Path(__file__).parent
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror"]
COMMON = ["-std=c11", "-ffreestanding", "-ffunction-sections", "-fdata-sections", "-fno-unwind-tables"]
COMMON += ["-fno-asynchronous-unwind-tables", "-g0", *WARNINGS]
ENTRIES = [
    "spb_p256_verify",
    "spb_sha256_init",
    "spb_sha256_update",
    "spb_sha256_final",
    "spb_aes128_ctr",
    "naive_verdict",
]
HARNESS = {"memcpy", "memmove", "memset", "memcmp", "naive_verdict"}  # of harness.c: not in our sizes
SCRIPT = """
SECTIONS {
    .text 0x08000000 : { *(.text*) *(.rodata*) }
    .data 0x20000000 : { *(.data*) *(.bss*) }
    /DISCARD/ : { *(.comment) *(.ARM.exidx*) *(.note*) *(.llvm*) }
}
"""


def need(tool: str) -> str:
    """The path of a host *tool*; says how to get it when it is missing."""
    path = shutil.which(tool)
    if path is None:
        raise FileNotFoundError(f"{tool} is not installed: run `make tools`")
    return path


def run(*command: str | Path) -> None:
    """Run *command*; its messages become the failure of the test."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{' '.join(str(c) for c in command)}\n{done.stdout}{done.stderr}")


def write_generator(folder: Path) -> None:
    """What the build writes before it compiles the firmware."""
    (folder / "spb_p256_generator.h").write_text(generator_header())


@functools.cache
def _zig_include() -> Path:
    spec = find_spec("ziglang")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "lib" / "include"


_CORES = {
    "cm0p": ("thumbv6m", "cortex-m0plus"),
    "cm3": ("thumbv7m", "cortex-m3"),
    "cm4": ("thumbv7em", "cortex-m4"),
    "cm33": ("thumbv8m.main", "cortex-m33"),
}
"""Core -> architecture and CPU, as compilers call them."""


def _clang(core: str) -> list[str]:
    arch, cpu = _CORES[core]
    target = [f"--target={arch}-none-eabi", f"-mcpu={cpu}", "-mfloat-abi=soft"]
    return [*zig_command(), "clang", *target, "-Oz", "-isystem", str(_zig_include())]


def _gcc(core: str) -> list[str]:
    _, cpu = _CORES[core]
    return [need("arm-none-eabi-gcc"), f"-mcpu={cpu}", "-mthumb", "-mfloat-abi=soft", "-Os"]


def build(folder: Path, compiler: Compiler, core: str, *flags: str) -> Path:
    """Compile and link everything for *core* with link-time optimisation, as the product does; the ELF's path."""
    folder.mkdir(parents=True, exist_ok=True)
    write_generator(folder)
    script = folder / "image.ld"
    script.write_text(SCRIPT)
    elf = folder / "image.elf"
    driver = _clang(core) if compiler == "clang" else _gcc(core)
    objects = []
    for source in [*SOURCES, HERE / "harness.c"]:
        target = folder / f"{source.stem}.o"
        lto = [] if source.parent == HERE else ["-flto"]
        run(*driver, *COMMON, *lto, *flags, f"-I{folder}", "-c", source, "-o", target)
        objects.append(target)
    if compiler == "clang":
        keep = [f"--undefined={entry}" for entry in ENTRIES]
        run(*zig_command(), "ld.lld", "--gc-sections", "-T", script, *keep, *objects, "-o", elf)
    else:
        keep = [f"-Wl,-u,{entry}" for entry in ENTRIES]
        options = ["-flto", "-nostdlib", "-Wl,--gc-sections", "-Wl,-e,0", f"-Wl,-T,{script}", *keep]
        run(*driver, *COMMON, *options, *objects, "-lgcc", "-o", elf)
    return elf
