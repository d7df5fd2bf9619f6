"""Builds the wheels of spboot into a folder: `python tools/wheels.py out/wheels [PLATFORM ...]`, `make wheels`.

One for each platform of PLATFORMS, with the patch encoder compiled for it by the pinned ziglang, so that a machine that
only signs needs no compiler; and one for any platform, without it, which compiles at its first use.  The same sources
give the same bytes.  hatchling loads this file for its hook; the environment tells the hook which wheel it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT: Final = Path(__file__).resolve().parents[1]
VARIABLE: Final = "SPBOOT_WHEEL"
"""Names the platform of the wheel that is being built."""
ANY: Final = "any"


class Platform(NamedTuple):
    """What zig and Python call a platform."""

    target: str
    system: str


PLATFORMS: Final = {
    "manylinux_2_17_x86_64": Platform("x86_64-linux-gnu.2.17", "linux"),
    "manylinux_2_17_aarch64": Platform("aarch64-linux-gnu.2.17", "linux"),
    "macosx_11_0_x86_64": Platform("x86_64-macos.11.0", "darwin"),
    "macosx_11_0_arm64": Platform("aarch64-macos.11.0", "darwin"),
    "win_amd64": Platform("x86_64-windows-gnu", "win32"),
}
"""Tag of a wheel -> its platform.  glibc 2.17 is that of 2012, macOS 11 the first on Apple's own processors."""


class EncoderHook(BuildHookInterface):
    """Puts the encoder of a platform into its wheel."""

    _work: Path | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile it, and tag the wheel; one for any platform is left as it is, and so is an editable one."""
        tag = os.environ.get(VARIABLE, ANY)
        if tag == ANY or version == "editable":
            return
        if tag not in PLATFORMS:
            raise SystemExit(f"{VARIABLE} is {tag!r}, expected {ANY} or one of {', '.join(PLATFORMS)}")
        sys.path.insert(0, str(Path(self.root) / "src"))
        from spboot.delta import compilation

        self._work = Path(tempfile.mkdtemp(prefix="spboot-wheel-"))
        platform = PLATFORMS[tag]
        name = f"encoder{compilation.suffix(platform.system)}"
        made = compilation.compile_library(compilation.sources(), self._work, name, "-target", platform.target)
        build_data["force_include"][str(made)] = f"spboot/delta/native/{name}"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{tag}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Nothing stays behind."""
        if self._work is not None:
            shutil.rmtree(self._work, ignore_errors=True)


def build(folder: Path, tag: str) -> None:
    """The wheel for *tag* in *folder*."""
    cache = {"ZIG_GLOBAL_CACHE_DIR": str(ROOT / "out" / "zig")}  # C libraries of five platforms, compiled once
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder.resolve())]
    subprocess.run(command, cwd=ROOT, env=cache | os.environ | {VARIABLE: tag}, check=True)


def main(arguments: list[str]) -> None:
    """Build what is asked for."""
    if not arguments:
        raise SystemExit(f"expected: python tools/wheels.py FOLDER [PLATFORM ...], of {', '.join(PLATFORMS)}, {ANY}")
    folder, *tags = arguments
    for tag in tags or (*PLATFORMS, ANY):
        build(Path(folder), tag)


if __name__ == "__main__":
    main(sys.argv[1:])
