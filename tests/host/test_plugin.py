"""The pytest plugin: what it asks for in words, and that it costs nothing where no test uses it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytest_plugins = "pytester"
ROOT = Path(__file__).resolve().parents[2]
MODULE = "spboot.pytest_plugin"
USES = "def test(spboot_{name}):\n    assert spboot_{name}\n"


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """pytest with the plugin alone, whether or not this spboot was installed with its entry point."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def call(text: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(text)
        return pytester.runpytest_subprocess("-p", MODULE, *arguments)

    return call


def test_the_entry_point_is_the_module() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"spboot": MODULE}


def test_it_imports_nothing_heavy() -> None:
    heavy = "{'unicorn', 'capstone', 'ziglang', 'cryptography', 'elftools', 'click', 'serial', 'spboot.boards'}"
    program = f"import sys, {MODULE}; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"


def test_options_and_fixtures_are_told(run) -> None:  # type: ignore[no-untyped-def]
    said = run("", "--help").stdout.str()
    for name in ("--spboot-board=BOARD", "--spboot-keys=DIR", "--spboot-port=PORT", "spboot_board (string)"):
        assert name in said
    said = run("", "--fixtures").stdout.str()
    for name in ("board", "keys", "bootloader", "factory", "device"):
        assert f"spboot_{name}" in said


def test_what_is_missing_is_asked_for(run) -> None:  # type: ignore[no-untyped-def]
    board = ("--spboot-board", "NUCLEO-L476RG")
    for name, arguments, words in (
        ("board", (), "which board? Give --spboot-board, or spboot_board in pytest's file"),
        ("board", ("--spboot-board", "NUKLEO-L476RG"), "did you mean NUCLEO-L476RG"),
        ("keys", ("--spboot-port", "/dev/ttyACM0"), "give --spboot-keys"),
        ("factory", board, "return spboot.merge(spboot_bootloader, app, keys=spboot_keys)"),
        ("device", board, "spboot_factory is not defined"),
        ("device", (*board, "--spboot-port", "/dev/ttyNONE"), "there is no such port"),
    ):
        done = run(USES.format(name=name), *arguments)
        assert done.ret == 1 and words in done.stdout.str(), done.stdout.str()


def test_boards_and_keys_stand_beside_pytests_file(run, pytester: pytest.Pytester) -> None:  # type: ignore[no-untyped-def]
    data = ROOT / "src" / "spboot" / "boards" / "data" / "NUCLEO-L476RG.toml"
    (pytester.path / "sub").mkdir()
    (pytester.path / "LAMP.toml").write_text(data.read_text())
    pytester.makefile(".ini", pytest="[pytest]\nspboot_board = LAMP.toml\nspboot_keys = mine\n")
    text = """
        import spboot
        from pathlib import Path

        def test(spboot_board, spboot_keys):
            assert (spboot_board.name, spboot_keys.product) == ("LAMP", "lamp")
    """
    program = "import spboot; spboot.Keys.new('mine', 'lamp')"
    subprocess.run([sys.executable, "-c", program], cwd=pytester.path, check=True)
    run(text).assert_outcomes(passed=1)


def test_keys_are_new_ones_for_development(run) -> None:  # type: ignore[no-untyped-def]
    run("def test(spboot_keys):\n    assert spboot_keys.development and spboot_keys.signing").assert_outcomes(passed=1)
