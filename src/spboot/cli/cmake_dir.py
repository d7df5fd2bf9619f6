"""`spboot cmake-dir`: where the files for CMake and other build systems are."""

from __future__ import annotations

import click

from spboot.cli.telling import Telling, telling
from spboot.formats.spec import data_path


@click.command("cmake-dir")
@telling
def command(tell: Telling) -> None:
    """Say where the files for build systems are.

    CMake finds spboot there, as a package with one command, spboot_firmware; spboot.mk beside it does the same for a
    Makefile, platformio.py for PlatformIO, and for Zephyr the folder is a module.

    \b
    Examples:
      spboot cmake-dir
      cmake -B build -Dspboot_DIR=$(spboot cmake-dir)
    """
    folder = data_path("sdk")
    tell.say(folder.as_posix())
    tell.facts(
        folder=folder.as_posix(), cmake="spbootConfig.cmake", make="spboot.mk",
        platformio="platformio.py", zephyr="zephyr/module.yml",
    )  # fmt: skip
