"""`import spboot`: its names, that they come when they are asked for, and what a machine has that only signs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import spboot
from spboot.delta import compilation, library
from spboot.image import Image
from spboot.keys import Keys
from tests import apps

from .conftest import BOARD, NEW_APP, OLD_APP, made

ROOT = Path(__file__).resolve().parents[2]
ABSENT = "import sys; sys.modules.update(dict.fromkeys(['unicorn', 'capstone', 'ziglang']))\n"
"""What a program begins with that runs as without the extras."""


def ran(program: str, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_the_names_are_those_of_all() -> None:
    tree = ast.parse(Path(spboot.__file__).read_text(encoding="utf-8"))
    told: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for line in node.body:
                assert isinstance(line, ast.ImportFrom)
                told |= {alias.name: str(line.module) for alias in line.names}
    assert told == spboot._HOMES, "what type checkers see is what is imported"
    errors = {name for name in spboot.__all__ if name.endswith("Error")}
    assert set(spboot.__all__) == {*told, *errors} and list(spboot.__all__) == sorted(spboot.__all__)
    known = vars(sys.modules["spboot.errors"]).values()
    assert {getattr(spboot, name) for name in errors} == {kind for kind in known if isinstance(kind, type)} & {
        spboot.SpbootError,
        *spboot.SpbootError.__subclasses__(),
    }
    for name in spboot.__all__:
        assert getattr(spboot, name).__name__ == name
        assert name in dir(spboot)
    with pytest.raises(AttributeError, match="module 'spboot' has no attribute 'ptach'"):
        _ = spboot.ptach


def test_nothing_comes_before_it_is_asked_for() -> None:
    program = """
import json, sys
import spboot
seen = [sorted({'cryptography', 'elftools', 'serial', 'unicorn', 'click', 'spboot.boards'} & set(sys.modules))]
spboot.Device, spboot.build, spboot.merge, spboot.patch
seen.append(sorted({'unicorn', 'capstone', 'ziglang', 'click', 'spboot.twin'} & set(sys.modules)))
print(json.dumps(seen))
"""
    assert json.loads(ran(program).stdout) == [[], []]


def test_a_device_at_a_port_needs_no_emulator() -> None:
    program = f"{ABSENT}import spboot\nspboot.Device(spboot.Board.load('NUCLEO-L476RG'), port='/dev/ttyNONE')"
    assert "LinkError: /dev/ttyNONE: there is no such port" in ran(program).stderr
    said = ran(f"{ABSENT}import spboot\nspboot.Device(spboot.Board.load('NUCLEO-L476RG'))").stderr
    assert 'ExtraError: the emulated chip is not installed here: pip install "spboot[twin]"' in said


COMMANDS = {
    "--help": (0, 'twin the emulated chip is not installed here: pip install "spboot[twin]"'),
    "twin NUCLEO-L476RG --image x.hex": (1, 'the emulated chip is not installed here: pip install "spboot[twin]"'),
    "twin --help": (1, 'pip install "spboot[twin]"'),
    "demo": (1, 'pip install "spboot[twin]"'),
    "build NUCLEO-L476RG --keys demo -o boot": (1, 'the compiler is not installed here: pip install "spboot[build]"'),
    "boards": (0, "STM32L476RG USART2 PA2/PA3"),
    "chips --supported STM32L476RG": (0, "yes"),
    "board new LAMP --mcu STM32L476RG": (0, "LAMP.toml: LAMP with STM32L476RG"),
    "keys new lamp": (0, "keys for product lamp"),
    "image new.bin --board NUCLEO-L476RG --keys demo --version 1.2.3 -o new.sfb": (0, "new.sfb: image 1.2.3"),
    "verify new.sfb --keys demo": (0, "signature good"),
    "inspect new.sfb --keys demo": (0, "signature and chunks good"),
    "merge boot.bin new.bin --board NUCLEO-L476RG --keys demo --version 1.2.3 -o factory.hex": (0, "factory.hex: boot"),
    "postbuild new.bin --board NUCLEO-L476RG --keys demo --version 1.2.3 --bootloader boot.bin --releases r -o out": (
        0,
        "new 1.2.3 for NUCLEO-L476RG",
    ),
    "send /dev/ttyNONE new.sfb": (1, "there is no such port"),
}


def test_without_the_extras(key_folder: Path, tmp_path: Path) -> None:
    """All that signs and checks, with the encoder that a wheel brings; the rest says what to install."""
    (tmp_path / "new.bin").write_bytes(NEW_APP)
    (tmp_path / "boot.bin").write_bytes(apps.bootloader(BOARD, Keys.load(key_folder)))
    (tmp_path / "demo").symlink_to(key_folder)
    encoder = library._PACKAGED if library._PACKAGED.exists() else library._file()
    program = f"""{ABSENT}
from pathlib import Path
from spboot import cli
from spboot.delta import library
library._PACKAGED = Path(sys.argv.pop(1))
cli.main()
"""
    for command, (code, words) in COMMANDS.items():
        done = ran(program, encoder, *command.split(), cwd=tmp_path)
        said = " ".join((done.stdout + done.stderr).split())
        assert (done.returncode, words in said) == (code, True), said


def test_no_encoder_and_no_compiler(secrets: Keys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ziglang", None)
    monkeypatch.setattr(library, "cache_folder", lambda: tmp_path)
    library.load.cache_clear()
    with pytest.raises(spboot.ExtraError, match=r'the patch encoder .* is not installed here: pip .*"spboot\[build\]"'):
        spboot.full_image(made(NEW_APP, "1.0.0"), keys=secrets)


def test_an_encoder_for_another_machine_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A wheel that was forced onto the wrong system: what it has is compiled here."""
    strange = tmp_path / f"encoder{compilation.suffix(sys.platform)}"
    strange.write_bytes(b"\xcf\xfa\xed\xfe of another system")
    monkeypatch.setattr(library, "_PACKAGED", strange)
    assert library._packaged() is None
    assert "cannot be loaded, compiling it here" in caplog.text


def test_the_images_of_a_patch_are_for_one_board(secrets: Keys) -> None:
    other = Image(data=OLD_APP, board=spboot.Board.load("NUCLEO-L452RE"), version=spboot.Version(1, 0, 0))
    with pytest.raises(spboot.BoardError, match="the old image is for NUCLEO-L452RE, the new one for NUCLEO-L476RG"):
        spboot.patch(other, made(NEW_APP, "1.1.0"), keys=secrets)
    single = spboot.Board.load("NUCLEO-L412KB")
    with pytest.raises(spboot.BoardError, match="NUCLEO-L412KB has a single slot, which takes no patches"):
        spboot.patch(made(OLD_APP, "1.0.0", single), made(NEW_APP, "1.1.0", single), keys=secrets)


def test_verify_knows_the_version_that_a_patch_starts_from(secrets: Keys) -> None:
    """A device asks for it, and so the bytes of OLD alone do not do."""
    update = spboot.patch(made(OLD_APP, "1.0.0"), made(NEW_APP, "1.1.0"), keys=secrets)
    assert spboot.verify(update, secrets, old=made(OLD_APP, "1.0.0")).image == NEW_APP
    with pytest.raises(spboot.AuthenticationError, match=r"starts from version 1\.0\.0, expected 1\.0\.1"):
        spboot.verify(update, secrets, old=made(OLD_APP, "1.0.1"))
    with pytest.raises(spboot.AuthenticationError, match="for another board"):
        spboot.verify(update, secrets, old=made(OLD_APP, "1.0.0", spboot.Board.load("NUCLEO-L452RE")))


def test_what_an_image_is_called() -> None:
    assert repr(made(NEW_APP, "1.2.3", BOARD)) == f"<image 1.2.3 for NUCLEO-L476RG, {len(NEW_APP)} bytes>"
