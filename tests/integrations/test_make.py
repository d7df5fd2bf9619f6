"""The Makefile project of STM32CubeMX: built by make, run and updated on the twin."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integrations.project import Project, built_and_updated, environment, flashing


@pytest.fixture(scope="module")
def copied_out(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project.new("cubemx-makefile", tmp_path_factory.mktemp("make") / "lamp", made=made)


@pytest.fixture
def project(copied_out: Project, tmp_path: Path) -> Project:
    return copied_out.copy(tmp_path / "lamp")


def test_make(project: Project) -> None:
    built_and_updated(project, lambda: project.run("make", "-j2"), lambda: project.run("make", "spboot-release"),
                      Path("build/spboot/spboot_version.h"))  # fmt: skip


def test_what_is_made_again(project: Project) -> None:
    project.run("make")
    elf = project.folder / "build" / "lamp.elf"
    first = elf.stat().st_mtime_ns
    assert "gcc" not in project.run("make") and elf.stat().st_mtime_ns == first
    include = project.folder / "boot" / "spboot-NUCLEO-L476RG.ld"
    include.write_text(include.read_text() + "/* newer */\n")
    said = project.run("make")
    assert "-o build/lamp.elf" in said and " -c " not in said and "full image" in said
    (project.folder / "CHANGES").write_text("x")
    project.commit("v1.2.0")
    said = project.run("make")
    assert "update.c" in said and "console.c" not in said and "lamp 1.2.0" in said
    project.run("make", "clean")
    assert not elf.exists()


def test_its_variables_come_before_the_project(project: Project) -> None:
    project.run("make", "SPBOOT_VERSION=4.0.0", "SPBOOT_NAME=torch")
    assert (project.folder / "out" / "torch_NUCLEO-L476RG_4.0.0").is_dir()
    assert 'SPBOOT_VERSION "4.0.0"' in (project.folder / "build/spboot/spboot_version.h").read_text()


def test_the_board_is_programmed_with_the_factory_file(project: Project, tmp_path: Path) -> None:
    said = project.run("make", "spboot-flash", "SPBOOT_POSTBUILD_OPTIONS=--name torch", env=flashing(tmp_path))
    assert "flash of out/torch_NUCLEO-L476RG_1.0.0/BOOT_torch_NUCLEO-L476RG_1.0.0.hex" in said


WRONG = {
    "no keys": ("SPBOOT_KEYS=nowhere", "nowhere"),
    "an unknown board": ("SPBOOT_BOARD=NUCLEO-L476XX", "NUCLEO-L476XX"),
    "a version that is none": ("SPBOOT_VERSION=1.2.x", "'1.2.x'"),
    "another project": ("SPBOOT_PROJECT=nowhere.toml", "nowhere.toml"),
    "no spboot": ("SPBOOT=no-spboot", "spboot is not on PATH"),
    "nothing to link": ("OBJECTS=", "spboot.mk: TARGET, BUILD_DIR or OBJECTS is empty"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use(project: Project, name: str) -> None:
    """make ends with spboot's own sentence, and nothing is linked."""
    argument, words = WRONG[name]
    said = project.refused("make", argument)
    assert words in said and "Traceback" not in said and "-o build/lamp.elf" not in said, said


def test_no_commit(made: Path, tmp_path: Path) -> None:
    other = Project.new("cubemx-makefile", tmp_path / "lamp", made=made)
    other.run("rm", "-rf", ".git")
    assert "is in no git repository with a commit" in other.refused("make", env=environment(GIT_DIR="/nowhere"))
