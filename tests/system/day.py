"""A firmware engineer's day, typed into a shell: from an empty folder to devices that run the newest release.

`python -m tests.system.day` runs it and renews docs/day.txt and its picture docs/day.svg, which is in README."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

ROOT: Final = Path(__file__).resolve().parents[2]
TEXT: Final = ROOT / "docs" / "day.txt"
PICTURE: Final = ROOT / "docs" / "day.svg"
WIDTH: Final = 96
FIRST: Final = "releases/lamp_NUCLEO-L476RG_1.0.0/BOOT_lamp_NUCLEO-L476RG_1.0.0.hex"
"""What the devices left production with."""
SPEED: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A line that is typed.  *shown*: the lines of its output that a reader wants, by a pattern; *behind*: from the
    line on that begins with it.  *at*: the device that is on meanwhile, by the version of its production."""

    line: str
    shown: str = ""
    behind: str = ""
    at: str = ""


def _version(number: str, old: int, new: int) -> Iterator[Step]:
    yield Step(line=f"sed -i 's/BLINK_MS {old}u/BLINK_MS {new}u/' src/main.c")
    yield Step(line=f'git commit --quiet -am "Blinks in {new} ms"; git tag v{number}')
    yield Step(line="cmake --build build -t app_release", shown="^releases/|^  ", behind="releases/")


STEPS: Final = (
    Step(line="spboot example cmake lamp && cd lamp && git init --quiet", shown="^lamp"),
    Step(
        line="spboot init --board NUCLEO-L476RG --keys ../lamp-keys --production", shown="^(spboot.toml|../lamp-keys)"
    ),
    Step(line='git add . && git commit --quiet -m "A lamp" && git tag v1.0.0'),
    Step(line="cmake -B build -G Ninja", shown="spboot: boot/"),
    Step(line="cmake --build build -t app_release", shown="^releases/|^  ", behind="releases/"),
    *_version("1.1.0", 250, 125),
    *_version("1.2.0", 125, 500),
    Step(line="spboot update ../board --key u --reset r", shown="^sending|->|runs now", at="1.0.0"),
    Step(line="spboot update ../board --key u --reset r", shown="^sending|->|runs now", at="1.1.0"),
    Step(line="spboot update ../board releases/*_1.1.0 --key u --reset r", shown="^sending|->|runs now", at="1.0.0"),
    Step(line="spboot update ../board --key u --reset r", shown="^sending|->|runs now|installed already"),
)


@contextmanager
def device(folder: Path, environment: dict[str, str], version: str) -> Iterator[None]:
    """A board that was programmed with *version* in production, at the pseudo-terminal `board`, flash in a file."""
    image = f"lamp/{FIRST}".replace("1.0.0", version)
    command = ["spboot", "twin", "NUCLEO-L476RG", "--image", image, "--pty", "board", "--speed", str(SPEED)]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as twin:
        assert twin.stdout
        assert twin.stdout.readline(), "the twin did not start"
        try:
            yield
        finally:
            twin.terminate()


def lived(folder: Path, spboot: Path) -> Iterator[tuple[Step, list[str]]]:
    """Every step with its whole output, in *folder*; *spboot* is the command.  One that fails is an AssertionError."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("PYTHON", "SPBOOT", "GIT_"))}
    environment |= {"PATH": f"{spboot.parent}{os.pathsep}{environment['PATH']}", "LC_ALL": "C.UTF-8"}
    for who in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{who}_NAME": "engineer", f"GIT_{who}_EMAIL": "engineer@example.org"}
    steps, place = list(STEPS), folder
    while steps:
        step = steps.pop(0)
        at_board = [step]
        while step.at and steps and steps[0].line.startswith("spboot update") and not steps[0].at:
            at_board.append(steps.pop(0))
        if not step.at:
            yield step, typed(step.line, place, environment)
        else:
            with device(folder, environment, step.at):
                for each in at_board:
                    yield each, typed(each.line, place, environment)
        if "cd lamp" in step.line:
            place = folder / "lamp"


def typed(line: str, place: Path, environment: dict[str, str]) -> list[str]:
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", line],
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, f"$ {line}\n{done.stdout}"
    return done.stdout.splitlines()


def transcript(days: Iterator[tuple[Step, list[str]]]) -> list[str]:
    """What is shown of it."""
    lines: list[str] = []
    for step, output in days:
        if step.at:
            lines.append(f"# a board in the field, programmed with {step.at}")
        lines.append(f"$ {step.line}")
        start = next((at for at, line in enumerate(output) if step.behind and line.startswith(step.behind)), 0)
        lines += [line for line in output[start:] if step.shown and re.search(step.shown, line)]
    return lines


def drawn(lines: list[str]) -> str:
    """The recording as SVG."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for line in lines:
        style = "bold green" if line.startswith("$") else "dim" if line.startswith("#") else ""
        console.print(Text(line, style=style))
    made = console.export_svg(title="spboot", unique_id="day")
    # Nothing is fetched from elsewhere: a terminal's own letters will do.
    return re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", made, flags=re.DOTALL)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        lines = transcript(lived(Path(name), Path(sys.executable).with_name("spboot")))
    TEXT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    PICTURE.write_text(drawn(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
