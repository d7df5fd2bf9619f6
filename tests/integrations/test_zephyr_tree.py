"""The example of Zephyr with Zephyr itself, where it is: ZEPHYR_WORKSPACE names the folder with zephyr/,
modules/hal/cmsis and modules/hal/stm32 in it.  Built by CMake and Ninja with arm-none-eabi-gcc."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.integrations.project import Project, built_and_updated, environment

_WORKSPACE: Final = os.environ.get("ZEPHYR_WORKSPACE", "")
pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not _WORKSPACE, reason="no Zephyr here: set ZEPHYR_WORKSPACE to the folder that has it"),
]

FAULTS: Final = {"NUCLEO-F429ZI": "nucleo_f429zi", "NUCLEO-L073RZ": "nucleo_l073rz"}
"""Boards of parts whose bootloader runs from its RAM -> Zephyr's name."""


def _settings() -> dict[str, str]:
    gcc = shutil.which("arm-none-eabi-gcc") or ""
    return environment(
        ZEPHYR_BASE=str(Path(_WORKSPACE) / "zephyr"),
        ZEPHYR_TOOLCHAIN_VARIANT="gnuarmemb",
        GNUARMEMB_TOOLCHAIN_PATH=str(Path(gcc).parents[1]),
    )


def _project(made: Path | None, folder: Path, board: str, name: str) -> Project:
    project = Project.new("zephyr", folder, made=made, board=board)
    project.env = _settings()
    project.run("spboot", "zephyr-overlay", "-o", f"boards/{name}.overlay")
    project.run("git", "add", "-A")
    project.run("git", "commit", "-q", "-m", "overlay")
    project.run("git", "tag", "-f", "v1.0.0")
    return project


def _configure(name: str) -> list[str]:
    modules = ";".join(str(Path(_WORKSPACE) / "modules" / "hal" / each) for each in ("stm32", "cmsis"))
    return ["cmake", "-G", "Ninja", "-B", "build", f"-DBOARD={name}", f"-DZEPHYR_MODULES={modules}"]


def test_zephyr(made: Path, tmp_path: Path) -> None:
    project = _project(made, tmp_path / "lamp", "NUCLEO-L476RG", "nucleo_l476rg")
    project.run(*_configure("nucleo_l476rg"))
    make = ("ninja", "-C", "build")
    header = Path("build/spboot/spboot_version.h")
    built_and_updated(
        project, lambda: project.run(*make), lambda: project.run(*make, "spboot_release"), header, "nucleo_l476rg"
    )
    runners = (project.folder / "build" / "zephyr" / "runners.yaml").read_text()
    assert "build/zephyr/spboot.hex" in runners and "build/zephyr/spboot.elf" in runners
    said = project.run(*make)
    assert "Linking" not in said and "Building C" not in said
    include = project.folder / "boot" / "spboot-NUCLEO-L476RG.ld"
    include.write_text(include.read_text() + "/* newer */\n")
    said = project.run(*make)
    assert "Linking C executable zephyr/zephyr.elf" in said and "update.c" not in said and ".sfb" in said


@pytest.mark.parametrize("board", FAULTS)
def test_a_region_that_would_fault_is_refused(board: str, tmp_path: Path) -> None:
    project = _project(None, tmp_path / "lamp", board, FAULTS[board])
    assert "set CONFIG_ARM_MPU=n in prj.conf" in project.refused(*_configure(FAULTS[board]))
