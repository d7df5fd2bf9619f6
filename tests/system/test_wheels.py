"""The wheels: what is in them, that they are the same each time, and that one alone is enough on a fresh machine.

The short tests look into the wheel for any system and into that for this one; the long ones build all, and install."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from spboot import Board, Device, Image, Keys, build, full_image, patch
from spboot.builder.bootloader import boot_version
from spboot.builder.demo import build_demo
from spboot.version import Version
from tests.system import libraries

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ("src", "examples", "firmware", "sdk", "spec", "tools", "pyproject.toml", "README.md", "LICENSE")
"""What a wheel is made of."""
BOARD = "NUCLEO-L476RG"
CALLS = {"spb_decode", "spb_encode", "spb_encode_free", "spb_encode_models"}
OWN = {"_mh_dylib_header", "__dso_handle"}
"""Names that each library of macOS has."""
PLATFORMS = {
    "manylinux_2_17_x86_64": ("encoder.so", "ELF", "x86_64", {"libc.so.6"}),
    "manylinux_2_17_aarch64": ("encoder.so", "ELF", "arm64", {"libc.so.6"}),
    "macosx_11_0_x86_64": ("encoder.dylib", "Mach-O", "x86_64", {"/usr/lib/libSystem.B.dylib"}),
    "macosx_11_0_arm64": ("encoder.dylib", "Mach-O", "arm64", {"/usr/lib/libSystem.B.dylib"}),
    "win_amd64": ("encoder.dll", "PE", "x86_64", {"kernel32.dll"}),
}
LEAN_MB = 80
"""Limit for a fresh environment that signs, with its pip and setuptools: 67 MB when this was written."""


def build_wheels(folder: Path, *tags: str, root: Path = ROOT, cache: Path | None = None) -> dict[str, Path]:
    """Wheels by their platform."""
    environment = {name: text for name, text in os.environ.items() if name != "ZIG_GLOBAL_CACHE_DIR"}
    if cache is not None:
        environment["ZIG_GLOBAL_CACHE_DIR"] = str(cache)
    command = [sys.executable, "tools/wheels.py", str(folder), *tags]
    subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
    return {path.stem.split("-")[-1]: path for path in folder.glob("*.whl")}


def inspect(wheel: Path, tag: str, root: Path = ROOT) -> None:
    """Its encoder is that of the platform; nothing in it is of the machine that made it."""
    name, kind, machine, needs = PLATFORMS[tag]
    with zipfile.ZipFile(wheel) as inside:
        facts = inside.read(f"spboot-{boot_version()}.dist-info/WHEEL").decode()
        data = inside.read(f"spboot/delta/native/{name}")
        others = [each for each in inside.namelist() if re.search(r"\.(so|dylib|dll|lib|pdb|a)$", each)]
        for each in inside.namelist():
            assert str(root).encode() not in inside.read(each), each
    assert f"Tag: py3-none-{tag}\n" in facts and "Root-Is-Purelib: false\n" in facts
    assert others == [f"spboot/delta/native/{name}"]
    found = libraries.read(data)
    assert (found.kind, found.machine) == (kind, machine)
    assert found.exports - OWN == CALLS
    assert {each for each in found.needs if not each.startswith("api-ms-win-crt-")} == needs
    assert "/" not in found.name
    if kind == "ELF":
        assert found.least <= (2, 17)
    if kind == "Mach-O":
        assert found.least == (11, 0) and found.signed == (machine == "arm64")
    assert b"/home/" not in data and b"/root/" not in data and b"/tmp/" not in data


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """That for any system, and that for Linux."""
    return build_wheels(tmp_path_factory.mktemp("wheels"), "any", "manylinux_2_17_x86_64")


def test_the_wheel_for_any_system(wheels: dict[str, Path]) -> None:
    with zipfile.ZipFile(wheels["any"]) as inside:
        names = set(inside.namelist())
        facts = inside.read(f"spboot-{boot_version()}.dist-info/METADATA").decode()
        points = inside.read(f"spboot-{boot_version()}.dist-info/entry_points.txt").decode()
    for name in ("py.typed", "_data/firmware/boot/link.ld.in", "_data/spec/spboot.toml", "delta/native/encode.c"):
        assert f"spboot/{name}" in names
    for folder in ("src/spboot", "examples", "firmware", "sdk", "spec"):
        there = {path.relative_to(ROOT / folder).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
        inner = "spboot" if folder.startswith("src") else f"spboot/_data/{folder}"
        assert {f"{inner}/{name}" for name in there if "__pycache__" not in name} <= names
    assert not [name for name in names if name.endswith((".so", ".dylib", ".dll", ".pyc")) or "tests" in name]
    needed = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*$", facts, re.MULTILINE)
    assert sorted(needed) == ["click", "cryptography", "intelhex", "packaging", "pyelftools", "pyserial", "rich"]
    extras = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*; extra == '(build|twin|all)'$", facts, re.MULTILINE)
    assert sorted(extras, key=lambda row: row[::-1]) == [
        *(("capstone", "all"), ("unicorn", "all"), ("ziglang", "all"), ("ziglang", "build")),
        *(("capstone", "twin"), ("unicorn", "twin")),
    ]
    assert "[pytest11]\nspboot = spboot.pytest_plugin" in points and "spboot = spboot.cli:main" in points


def test_the_wheel_for_linux(wheels: dict[str, Path]) -> None:
    inspect(wheels["manylinux_2_17_x86_64"], "manylinux_2_17_x86_64")


def test_a_platform_that_we_do_not_know(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        build_wheels(tmp_path, "win_arm64")
    assert b"SPBOOT_WHEEL is 'win_arm64', expected any or one of manylinux_2_17_x86_64" in failed.value.stderr


@pytest.mark.soak
def test_all_wheels_twice(tmp_path: Path) -> None:
    """From two copies of the sources at places of their own, with a compiler's cache each: the same bytes."""
    copies = tmp_path / "one", tmp_path / "two" / "deeper"
    for root in copies:
        root.mkdir(parents=True)
        for name in SOURCE:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, root / name)
    first, second = (build_wheels(root / "wheels", root=root, cache=root / "cache") for root in copies)
    assert first.keys() == second.keys() == {*PLATFORMS, "any"}
    for tag, wheel in first.items():
        assert wheel.read_bytes() == second[tag].read_bytes(), tag
        if tag != "any":
            inspect(wheel, tag, copies[0])


class Machine:
    """A fresh virtual environment with one wheel, and a folder to work in: nothing of this checkout is in reach."""

    def __init__(self, folder: Path, wheel: Path, extra: str = "") -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        self.place = folder / "venv"
        self.environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
        self.environment["XDG_CACHE_HOME"] = str(folder / "cache")
        self.run(sys.executable, "-m", "venv", self.place)
        self.run(self.place / "bin" / "pip", "install", "--quiet", f"spboot{extra} @ {wheel.as_uri()}")

    def run(self, *command: str | Path) -> str:
        done = subprocess.run(
            [*map(str, command)], cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def spboot(self, command: str) -> str:
        return self.run(self.place / "bin" / "spboot", *command.split())


def lamp(folder: Path) -> None:
    """Keys and two versions of an application."""
    Keys.new(folder / "keys", "lamp", development=True)
    for version in ("1.0.0", "1.1.0"):
        build_demo(Board.load(BOARD), Version.parse(version), folder).rename(folder / f"lamp-{version}.elf")


posix = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="installs the wheel for Linux on x86-64"
)


@posix
@pytest.mark.soak
def test_a_machine_that_only_signs(wheels: dict[str, Path], tmp_path: Path) -> None:
    """From the wheel for Linux without an extra: the same bytes as from this checkout, without a compiler, in little
    space."""
    machine = Machine(tmp_path, wheels["manylinux_2_17_x86_64"])
    lamp(machine.folder)
    common = f"--board {BOARD} --keys keys --version 1.1.0"
    machine.spboot(f"image lamp-1.1.0.elf {common} -o lamp.sfb")
    machine.spboot(f"patch --from lamp-1.0.0.elf --from-version 1.0.0 --to lamp-1.1.0.elf {common} -o lamp.sfbp")
    assert "decodes to image 1.1.0" in machine.spboot("verify lamp.sfbp --keys keys --from lamp-1.0.0.elf")
    board, keys = Board.load(BOARD), Keys.load(machine.folder / "keys")
    old, new = (Image.load(machine.folder / f"lamp-{v}.elf", board, v) for v in ("1.0.0", "1.1.0"))
    assert (machine.folder / "lamp.sfb").read_bytes() == full_image(new, keys=keys)
    assert (machine.folder / "lamp.sfbp").read_bytes() == patch(old, new, keys=keys)
    assert not (tmp_path / "cache").exists(), "nothing was compiled"
    size = int(machine.run("du", "-sm", machine.place).split()[0])
    packages = machine.run(machine.place / "bin" / "pip", "list", "--format=freeze").split()
    print(f"{size} MB, {len(packages)} packages: {' '.join(packages)}")
    assert size <= LEAN_MB
    assert not {"ziglang", "unicorn", "capstone"} & {each.split("==")[0] for each in packages}


@posix
@pytest.mark.soak
@pytest.mark.parametrize("tag", ["manylinux_2_17_x86_64", "any"])
def test_a_wheel_alone_builds_a_bootloader(wheels: dict[str, Path], tag: str, tmp_path: Path) -> None:
    """With the extra `build`; the same bytes as from this checkout.  That for any system compiles its encoder."""
    machine = Machine(tmp_path, wheels[tag], "[build]")
    lamp(machine.folder)
    machine.spboot(f"build {BOARD} --keys keys -o boot")
    made = build(Board.load(BOARD), Keys.load(machine.folder / "keys"), tmp_path / "here")
    assert (machine.folder / "boot" / made.bin.name).read_bytes() == made.bin.read_bytes()
    said = machine.spboot(f"image lamp-1.1.0.elf --board {BOARD} --keys keys --version 1.1.0 -o lamp.sfb")
    assert ("compiling the patch encoder" in said) == (tag == "any")


@posix
@pytest.mark.soak
def test_a_wheel_alone_builds_an_example(wheels: dict[str, Path], tmp_path: Path) -> None:
    """The CMake example comes out of the wheel, with what CMake includes; nothing of this checkout is named."""
    machine = Machine(tmp_path, wheels["manylinux_2_17_x86_64"], "[build]")
    machine.environment |= {"PATH": f"{machine.place / 'bin'}:{os.environ['PATH']}", "SPBOOT_VERSION": "1.2.3"}
    assert str(machine.place) in machine.spboot("cmake-dir")
    machine.spboot("example cmake lamp")
    machine.spboot(f"init lamp --board {BOARD}")
    machine.run("cmake", "-S", "lamp", "-B", "build")
    machine.run("cmake", "--build", "build")
    for path in (machine.folder / "build").rglob("*.txt"):
        assert str(ROOT) not in path.read_text(errors="replace"), path
    with Device(Board.load(BOARD)) as device:
        device.program(machine.folder / "lamp" / "out" / f"lamp_{BOARD}_1.2.3" / f"BOOT_lamp_{BOARD}_1.2.3.hex")
        device.power_on()
        assert b"app 1.2.3 (1.2.3) on" in device.read_until("r resets")
