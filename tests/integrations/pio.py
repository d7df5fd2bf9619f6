"""PlatformIO as far as it comes from PyPI: its core, and SCons.  Its registry is out of reach of the tests, so the
platform is a folder of ours, under the name and with the board of the example: it calls the compiler, as the real one
does for a project without a framework, and no more.  SCons lies where PlatformIO looks for its tool-scons."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Final

_SCONS: Final = "from SCons.Script import main\nmain()\n"
_PLATFORM: Final = """\
from platformio.platform.base import PlatformBase


class Ststm32Platform(PlatformBase):
    pass
"""
_BUILDER: Final = """\
from os.path import join

from SCons.Script import AlwaysBuild, Builder, Default, DefaultEnvironment

env = DefaultEnvironment()
cpu = "-mcpu=" + env.BoardConfig().get("build.cpu")
env.Replace(
    AR="arm-none-eabi-gcc-ar", AS="arm-none-eabi-as", CC="arm-none-eabi-gcc", CXX="arm-none-eabi-g++",
    OBJCOPY="arm-none-eabi-objcopy", RANLIB="arm-none-eabi-gcc-ranlib", SIZETOOL="arm-none-eabi-size",
    PROGNAME="firmware", PROGSUFFIX=".elf",
)
env.Append(
    CCFLAGS=["-Os", "-ffunction-sections", "-fdata-sections", "-Wall", "-mthumb", "-nostdlib", cpu],
    LINKFLAGS=["-Os", "-Wl,--gc-sections,--relax", "-mthumb", "-nostartfiles", "-nostdlib", cpu], LIBS=["gcc"],
    BUILDERS={"ElfToBin": Builder(action="$OBJCOPY -O binary $SOURCES $TARGET", suffix=".bin")},
)
firmware = env.ElfToBin(join("$BUILD_DIR", "${PROGNAME}"), env.BuildProgram())
AlwaysBuild(env.Alias("upload", firmware, [env.VerboseAction("$UPLOADCMD", "Uploading $SOURCE")]))
Default([env.Alias("buildprog", firmware, firmware)])
"""
_BOARD: Final = {
    "build": {"cpu": "cortex-m4", "f_cpu": "80000000L", "mcu": "stm32l476rgt6"},
    "frameworks": [],
    "name": "Nucleo L476RG",
    "upload": {"maximum_ram_size": 98304, "maximum_size": 1048576, "protocols": ["custom"]},
    "url": "here",
    "vendor": "here",
}


def core_folder(folder: Path) -> Path:
    """*folder* as PLATFORMIO_CORE_DIR."""
    wanted = importlib.import_module("platformio.dependencies").get_core_dependencies()
    scons = _package(folder / "packages" / "tool-scons", "tool", wanted["tool-scons"].lstrip("~"))
    (scons / "scons.py").write_text(_SCONS)
    platform = _package(folder / "platforms" / "ststm32", "platform", "1.0.0")
    (platform / "platform.py").write_text(_PLATFORM)
    for name in ("boards", "builder"):
        (platform / name).mkdir()
    (platform / "builder" / "main.py").write_text(_BUILDER)
    (platform / "boards" / "nucleo_l476rg.json").write_text(json.dumps(_BOARD))
    return folder


def _package(folder: Path, kind: str, version: str) -> Path:
    """Installed, in the eyes of PlatformIO's package manager."""
    folder.mkdir(parents=True)
    spec = {"owner": "platformio", "id": 1, "name": folder.name, "requirements": None, "uri": None}
    (folder / ".piopm").write_text(json.dumps({"type": kind, "name": folder.name, "version": version, "spec": spec}))
    manifest = {"name": folder.name, "version": version, "title": folder.name, "frameworks": {}, "packages": {}}
    (folder / ("platform.json" if kind == "platform" else "package.json")).write_text(json.dumps(manifest))
    return folder
