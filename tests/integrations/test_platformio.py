"""The example of PlatformIO: built by its core and SCons, run and updated on the twin; what is ours in it: pio.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integrations.pio import core_folder
from tests.integrations.project import Project, built_and_updated, environment, flashing

BUILT = Path(".pio/build/nucleo_l476rg")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"PLATFORMIO_CORE_DIR": str(core_folder(tmp_path_factory.mktemp("core"))), "PLATFORMIO_NO_ANSI": "1"}


@pytest.fixture(scope="module")
def copied_out(made: Path, settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.new("platformio", tmp_path_factory.mktemp("pio") / "lamp", made=made)
    project.env = environment(**settings)
    return project


@pytest.fixture
def project(copied_out: Project, tmp_path: Path) -> Project:
    return copied_out.copy(tmp_path / "lamp")


def test_platformio(project: Project) -> None:
    keep = ("pio", "run", "-t", "spboot-release")
    header = BUILT / "spboot" / "spboot_version.h"
    built_and_updated(project, lambda: project.run("pio", "run"), lambda: project.run(*keep), header)
    new = project.release("out", "1.1.0")
    for ending in (".hex", ".elf"):
        (factory,) = new.folder.glob(f"BOOT_*{ending}")
        assert (project.folder / BUILT / f"spboot{ending}").read_bytes() == factory.read_bytes()


def test_what_is_made_again(project: Project) -> None:
    project.run("pio", "run")
    said = project.run("pio", "run")
    assert "Compiling" not in said and "Linking" not in said and "postbuild" not in said
    include = project.folder / "boot" / "spboot-NUCLEO-L476RG.ld"
    include.write_text(include.read_text() + "/* newer */\n")
    said = project.run("pio", "run")
    assert "Linking" in said and "Compiling" not in said and "spboot postbuild" in said
    (project.folder / "CHANGES").write_text("x")
    project.commit("v1.2.0")
    said = project.run("pio", "run")
    assert "update.o" in said and "console.o" not in said and "lamp_NUCLEO-L476RG_1.2.0.sfb" in said


def test_an_upload_programs_what_was_made(project: Project, settings: dict[str, str], tmp_path: Path) -> None:
    said = project.run("pio", "run", "-t", "upload", env=flashing(tmp_path) | settings)
    assert f"flash of {project.folder / BUILT / 'spboot.hex'}" in said


WRONG = {
    "no keys": ({"SPBOOT_KEYS": "nowhere"}, "nowhere"),
    "no spboot": ({}, "no-spboot: no such command: pip install"),
    "before alone": ({}, "extra_scripts has its script with pre: alone; add the line with post:"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use(project: Project, name: str) -> None:
    """PlatformIO ends with spboot's own sentence, and nothing is linked."""
    more, words = WRONG[name]
    ini = project.folder / "platformio.ini"
    text = ini.read_text()
    if name == "no spboot":
        ini.write_text(text.replace("extra_scripts", "custom_spboot = no-spboot\nextra_scripts", 1))
    if name == "before alone":
        ini.write_text(text.replace("    post:spboot_script.py\n", ""))
    said = project.refused("pio", "run", env=project.env | more)
    assert words in said and "Traceback" not in said and "Linking" not in said, said
