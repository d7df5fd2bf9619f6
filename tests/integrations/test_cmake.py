"""Plain CMake, and the CMake project of STM32CubeMX: built by Ninja and by make, run and updated on the twin."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import spboot
from tests.integrations.project import SPBOOT, Project, built_and_updated, environment, flashing
from tests.system.foreign import Foreign
from tests.system.terminal import lrzsz, on_pty, opened

HEADER = Path("build/spboot/app/spboot_version.h")


@pytest.fixture(scope="module")
def copied_out(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project.new("cmake", tmp_path_factory.mktemp("cmake") / "lamp", made=made)


@pytest.fixture
def fresh(copied_out: Project, tmp_path: Path) -> Project:
    """Plain CMake, with keys and bootloader, not configured."""
    return copied_out.copy(tmp_path / "lamp")


@pytest.fixture(params=["Unix Makefiles", pytest.param("Ninja", marks=pytest.mark.soak)])
def plain(fresh: Project, request: pytest.FixtureRequest) -> Project:
    """Configured; the makefiles of CMake here, Ninja with the project of STM32CubeMX."""
    fresh.run("cmake", "-G", request.param, "-B", "build")
    return fresh


def build(project: Project) -> str:
    return project.run("cmake", "--build", "build")


def test_two_versions(plain: Project) -> None:
    built_and_updated(plain, lambda: build(plain), lambda: plain.run("cmake", "--build", "build", "-t", "app_release"),
                      HEADER)  # fmt: skip


def test_what_is_made_again(plain: Project) -> None:
    """Nothing, unless something changed: the linker include, the bootloader, the version."""
    build(plain)
    elf = plain.folder / "build" / "app.elf"
    first = elf.stat().st_mtime_ns
    said = build(plain)
    assert "Linking" not in said and "Building" not in said and elf.stat().st_mtime_ns == first
    include = plain.folder / "boot" / "spboot-NUCLEO-L476RG.ld"
    include.write_text(include.read_text() + "/* newer */\n")
    said = build(plain)
    assert "Linking" in said and "Building" not in said and "full image" in said
    include.with_suffix(".elf").unlink()
    assert "Linking" in build(plain), "another file of the bootloader: files for production are made again"
    (plain.folder / "CHANGES").write_text("x")
    plain.commit("v1.2.0")
    said = build(plain)
    assert "update.c" in said and "console.c" not in said and "lamp 1.2.0" in said
    (plain.folder / "CHANGES").write_text("y")
    assert "lamp_NUCLEO-L476RG_1.2.0-dirty" in build(plain)


@pytest.mark.soak
def test_a_bootloader_that_is_gone_is_built_again(plain: Project) -> None:
    """By the next build; files for production are made again when it is another one."""
    build(plain)
    shutil.rmtree(plain.folder / "boot")
    assert "Linking" not in build(plain), "it is the same bootloader, byte for byte"
    assert (plain.folder / "boot" / "spboot-NUCLEO-L476RG.elf").exists()
    (plain.folder / "data").write_text("lamp 7")
    plain.run("spboot", "build", "--user-data", "data")
    assert "full image" in build(plain)


def test_a_release_is_refused_in_words(plain: Project) -> None:
    lists = plain.folder / "CMakeLists.txt"
    lists.write_text(f"{lists.read_text()}# another line\n")
    said = plain.refused("cmake", "--build", "build", "-t", "app_release")
    assert "files differ from the commit" in said and "--allow-dirty" in said


def test_lrzsz_and_a_file_that_is_cut(plain: Project) -> None:
    """A sender that leaves out a block, then `sb`, at the application's own receiver."""
    build(plain)
    plain.change("v1.2.0")
    build(plain)
    release = plain.release("out", "1.2.0")
    image = release.path(release.image)
    with spboot.Device(spboot.Board.load(plain.board)) as device:
        device.program(next(plain.release("out", "1.0.0").folder.glob("BOOT_*.hex")))
        device.power_on()
        device.read_until("r resets")
        device.type("u")
        device.read_until("by YMODEM\r\n")
        cut = image.read_bytes()
        assert Foreign().send(device.port, cut[: len(cut) // 128 * 128 - 128]) == "whole"
        said = device.wait(1)
        assert b"update: not done, ended early: send the whole file" in said
        device.type("u")
        uart = device.twin.uart(device.board.console.port)
        with on_pty(device) as path, opened(path) as line:  # type: ignore[arg-type]
            assert lrzsz("sb", line, image).returncode == 0
        device.twin.run(until=lambda: uart.output.count(b"r resets") >= 2, seconds=60)
        assert b"app 1.2.0 (v1.2.0)" in bytes(uart.output)


def test_without_a_project_file(fresh: Project) -> None:
    """All that the command takes."""
    (fresh.folder / "keys").rename(fresh.folder / "lamp keys")
    (fresh.folder / "spboot.toml").unlink()
    lists = fresh.folder / "CMakeLists.txt"
    call = 'TARGET app BOARD NUCLEO-L476RG KEYS "lamp keys" VERSION 3.2.1 NAME lamp POSTBUILD_OPTIONS --last 1'
    lists.write_text(lists.read_text().replace("TARGET app", call))
    fresh.run("cmake", "-G", "Ninja", "-B", "build")
    build(fresh)
    assert 'SPBOOT_VERSION "3.2.1"' in (fresh.folder / HEADER).read_text()
    assert fresh.release("out", "3.2.1").git is None


def test_cubemx(made: Path, tmp_path: Path) -> None:
    project = Project.new("cubemx-cmake", tmp_path / "lamp", made=made)
    project.run("cmake", "--preset", "Debug")
    binary = "build/Debug"
    built_and_updated(
        project,
        lambda: project.run("cmake", "--build", binary),
        lambda: project.run("cmake", "--build", binary, "-t", "lamp_release"),
        Path(binary, "spboot/lamp/spboot_version.h"),
    )
    again = project.run("cmake", "--build", binary)
    assert "Linking" not in again and "Building" not in again


@pytest.mark.soak
@pytest.mark.parametrize(
    ("board", "core", "kind"),
    [
        *(("NUCLEO-G0B1RE", "cortex-m0plus", kind) for kind in ("Release", "MinSizeRel", "RelWithDebInfo", "Debug")),
        ("DISCO-L4R9I", "cortex-m4", "Release"),
    ],
)
def test_another_family(tmp_path: Path, board: str, core: str, kind: str) -> None:
    """The template on a board that only has another header and another core."""
    project = Project.new("cmake", tmp_path / "lamp", board=board)
    options = (f"-DBOARD_HEADER={board.lower()}.h", f"-DCORE={core}", f"-DCMAKE_BUILD_TYPE={kind}")
    project.run("cmake", "-B", "build", *options)
    built_and_updated(project, lambda: build(project), lambda: project.run("cmake", "--build", "build", "-t",
                                                                         "app_release"), HEADER)  # fmt: skip


def test_the_board_is_programmed_with_the_factory_file(fresh: Project, tmp_path: Path) -> None:
    lists = fresh.folder / "CMakeLists.txt"
    lists.write_text(lists.read_text().replace("TARGET app", "TARGET app POSTBUILD_OPTIONS --name torch"))
    fresh.commit("v2.0.0")
    env = flashing(tmp_path)
    fresh.run("cmake", "-G", "Ninja", "-B", "build", env=env)
    said = fresh.run("cmake", "--build", "build", "-t", "app_flash", env=env)
    assert "flash of out/torch_NUCLEO-L476RG_2.0.0/BOOT_torch_NUCLEO-L476RG_2.0.0.hex" in said


WRONG = {
    "no keys": ("rm -rf keys", "", "keys"),
    "an unknown board": ("sed -i s/L476RG/L476XX/ spboot.toml", "", "NUCLEO-L476XX"),
    "no project": ("rm spboot.toml", "", "make a project file with `spboot init`"),
    "no commit": ("rm -rf .git", "", "is in no git repository with a commit: tell the version yourself"),
    "a tag that is too far": (
        "git commit -qm x --allow-empty && git tag v1.0.255 && git commit -qm y --allow-empty",
        "",
        "expected at most 255",
    ),
    "a version that is none": ("", "VERSION 1.2.x", "'1.2.x'"),
    "an unknown word": ("", "BORD NUCLEO-L476RG", "spboot_firmware: unknown BORD"),
    "no value": ("", "BOARD", "spboot_firmware: nothing behind BOARD"),
    "other keys": ("rm -rf keys && spboot keys new keys --product lamp", "", "holds other keys"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use(fresh: Project, name: str) -> None:
    """CMake ends with spboot's own sentence, before anything is compiled."""
    before, call, words = WRONG[name]
    if before:
        fresh.run("sh", "-c", before)
    lists = fresh.folder / "CMakeLists.txt"
    lists.write_text(lists.read_text().replace("TARGET app ", f"TARGET app {call} "))
    said = fresh.refused("cmake", "-G", "Ninja", "-B", "build")
    assert words in said and "CMake Error" in said and "Traceback" not in said, said


def test_spboot_is_not_on_path(fresh: Project) -> None:
    bare = environment(PATH="/usr/bin:/bin")
    said = fresh.refused("cmake", "-G", "Ninja", "-B", "build", env=bare)
    assert 'spboot is not on PATH: pip install "spboot[build]", or give -DSPBOOT=path of it' in said
    fresh.run("cmake", "-G", "Ninja", "-B", "b", f"-DSPBOOT={SPBOOT}")
    sdk = fresh.run("spboot", "cmake-dir").strip()
    (fresh.folder / "CMakeLists.txt").write_text(
        f'cmake_minimum_required(VERSION 3.20)\nproject(x NONE)\nset(spboot_DIR "{sdk}")\n'
        "find_package(spboot REQUIRED)\nspboot_firmware()\n"
    )
    assert "the command spboot is not on PATH" in fresh.refused("cmake", "-B", "c", env=bare)
    assert "TARGET is missing" in fresh.refused("cmake", "-B", "d")
