"""Every command in the documents is run as it stands there, or the page says why not (page.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.system.page import ROOT, Command, Page, shell
from tests.system.page_setups import EXAMPLES, SETUPS

FOLDERS = ("*.md", "docs/*.md", "examples/**/*.md")
PAGES = [Page.load(path) for pattern in FOLDERS for path in sorted(ROOT.glob(pattern))]
WITH_COMMANDS = [page for page in PAGES if page.commands]
ELSEWHERE = {
    "docs/python.md": "test_python_page.py runs its blocks; the two lines of pytest are in it, too",
    "CHANGELOG.md": "what was, not what is typed",
    "examples/fleet/README.md": "tests/integrations/test_fleet.py and tests/host/test_fleet.py do",
    "examples/platformio/README.md": "tests/integrations/test_platformio.py runs pio, with a platform of its own",
    "examples/zephyr/README.md": "tests/integrations/test_zephyr_tree.py does where there is a Zephyr; else west alone",
    "docs/evidence.md": "test_rehearsal.py and test_fault_sweep.py run a part; all of it takes hours",
    "docs/keys.md": "tests/host/test_keys_page.py runs them, with a token of SoftHSM",
    "docs/patches.md": "test_explain.py runs them",
    "docs/supply-chain.md": "test_dossier.py runs them",
}
"""Pages whose commands another test runs, or that tell of commands only."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.soak] if page.soak or page.name in EXAMPLES else [])
        for page in WITH_COMMANDS
    ],
    ids=lambda page: page.name,
)
def test_the_commands_of_a_page(page: Page, tmp_path: Path) -> None:
    if page.name in ELSEWHERE:
        pytest.skip(ELSEWHERE[page.name])
    setup = page.setup or EXAMPLES.get(page.name)
    assert setup, f"{page.name} does not say how it is run: see tests/system/page.py"
    SETUPS[setup](tmp_path)
    with shell(tmp_path) as opened:
        for command in page.commands:
            if not command.reason:
                opened.run(command)


def test_a_reason_is_given_for_what_is_not_run() -> None:
    for page in PAGES:
        assert not [command for command in page.commands if command.reason and len(command.reason) < 6], page.name


def test_what_a_page_says(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A\n<!-- run: empty, soak -->\n\n    spboot map X   # a comment\n    some output\n\ntext\n\n"
        "    int main(void);\n\n<!-- not run: no board -->\n\n    pyocd list\n\n<!-- ends with: 1 -->\n\n"
        "```console\n$ spboot verify a \\\n    b\nerror\n```\n\n```python\nspboot = 1\n```\n"
    )
    read = Page.load(page)
    assert (read.setup, read.soak) == ("empty", True)
    assert read.commands == (
        Command(line="spboot map X   # a comment", code=0, reason=""),
        Command(line="pyocd list", code=0, reason="no board"),
        Command(line="spboot verify a b", code=1, reason=""),
    )


def test_folder_and_variables_are_kept(tmp_path: Path) -> None:
    with shell(tmp_path, {"WORD": "given"}) as opened:
        for line in (
            "mkdir lamp",
            "cd lamp",
            "export NEXT=$WORD-$(pwd)  # set",
            "python3 -c \"open('$NEXT'[-4:], 'x')\"",
        ):
            opened.run(Command(line=line, code=0, reason=""))
        opened.run(Command(line="cd nowhere", code=1, reason=""))
    assert (tmp_path / "lamp" / "lamp").exists()


def test_a_command_that_fails_fails_the_page(tmp_path: Path) -> None:
    with shell(tmp_path) as opened:
        opened.run(Command(line="ls", code=0, reason=""))
        opened.run(Command(line="spboot map NOWHERE", code=1, reason=""))
        with pytest.raises(AssertionError, match="unknown board"):
            opened.run(Command(line="spboot map NOWHERE", code=0, reason=""))
