"""An application of a dozen sources that is built in one way or another, to weigh what the ways cost a patch.

It is linked for a board and could start there; nobody runs it."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

from spboot.boards import Board
from spboot.builder.compiler import toolchain
from spboot.builder.linkinclude import link_check, link_include
from spboot.formats.spec import data_path

SOURCES = 12
_FUNCTIONS = 9
_MAIN = """
extern unsigned stack_top;
typedef unsigned work(unsigned);
extern work *const parts[];
{externs}
extern const char *volatile kept;
extern const char *(*const sayings[])(void);
const char *volatile kept;
work *const parts[] = {{{names}}};
__attribute__((used)) void reset(void) {{ for (unsigned i = 0;; i++) kept = sayings[parts[i % {count}](i)](); }}
__attribute__((used, section(".vectors"))) void *const vectors[2] = {{&stack_top, (void *)reset}};
"""


def _function(source: int, number: int, chance: random.Random) -> str:
    lines = [
        f"unsigned part_{source}_{number}(unsigned in) {{",
        f"    unsigned sum = in ^ {chance.randrange(1 << 16)}u;",
    ]
    for _ in range(chance.randrange(3, 12)):
        other = f"part_{chance.randrange(SOURCES)}_{chance.randrange(_FUNCTIONS)}"
        lines.append(f"    if (sum > {chance.randrange(1 << 20)}u) sum += {other}(sum * {chance.randrange(3, 99)}u);")
    return "\n".join([*lines, f"    return sum + {chance.randrange(9999)}u;", "}", ""])


def write_sources(folder: Path, *, release: int = 0, text: str = "__FILE__") -> None:
    """The sources as of *release*: one function is another in each.  *text*: what each source says, a string of C with
    NUMBER for its own."""
    folder.mkdir(parents=True, exist_ok=True)
    every = [f"part_{source}_{number}" for source in range(SOURCES) for number in range(_FUNCTIONS)]
    protos = "".join(f"unsigned {name}(unsigned);\n" for name in every)
    (folder / "parts.h").write_text(protos)
    for source in range(SOURCES):
        chance = random.Random(source)
        body = ['#include "parts.h"\n']
        for number in range(_FUNCTIONS):
            made = random.Random(chance.random())
            if release and (source, number) == (5, 3):
                made = random.Random(release)
            body.append(_function(source, number, made))
        body.append(f"const char *said_{source}(void) {{ return {text.replace('NUMBER', str(source))}; }}\n")
        (folder / f"part_{source:02}.c").write_text("".join(body))
    said = "".join(f"const char *said_{source}(void);\n" for source in range(SOURCES))
    texts = f"const char *(*const sayings[])(void) = {{{', '.join(f'said_{source}' for source in range(SOURCES))}}};"
    main = _MAIN.format(externs=protos + said + texts, names=", ".join(every), count=len(every))
    (folder / "main.c").write_text(main)


def link(
    folder: Path,
    elf: Path,
    board: Board,
    *,
    order: Sequence[int] = range(SOURCES),
    options: Sequence[str] = (),
    linking: Sequence[str] = (),
    script: tuple[str, str] = ("", ""),
    epoch: int | None = None,
) -> Path:
    """Compile the sources in *folder* and link them in *order*; *script*: what is replaced in the demo's, by what;
    *epoch*: the time that the compiler is told."""
    tools = toolchain("clang", board.chip.core)
    work = folder / "work"
    work.mkdir(exist_ok=True)
    files = ["main.c", *(f"part_{number:02}.c" for number in order)]
    environment = os.environ | ({"SOURCE_DATE_EPOCH": str(epoch)} if epoch is not None else {})
    flags = ["-Os", "-fno-lto", *options]
    for name in files:
        run([*tools.compile, *flags, "-c", str(folder / name), "-o", str(work / f"{name}.o")], environment)
    (work / "spboot.ld").write_text(link_include(board))
    (work / "spboot-check.ld").write_text(link_check(board))
    text = (data_path("firmware") / "demo" / "demo.ld").read_text()
    (work / "app.ld").write_text(text.replace(*script))
    command = [*tools.link, "-T", "app.ld", "-L.", "-o", str(elf), *linking, *(f"{name}.o" for name in files)]
    run(command, environment, work)
    return elf


def run(command: Sequence[str], environment: dict[str, str], cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
