"""The fuzzers as programs, and their first inputs."""

from __future__ import annotations

import subprocess
from pathlib import Path

from spboot.boards import Board
from spboot.builder import headers
from spboot.builder.bootloader import boot_version
from spboot.formats.spec import data_path
from tests.fuzz import seeds

HARNESSES = ("decisions", "stream")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
MEMORY_SANITIZER = ("-fsanitize=memory", "-fno-sanitize-recover=all")
_MAX_LEN = {"stream": 4096, "decisions": 16384}
_HERE = Path(__file__).parent
_DECODER = ("delta.c", "moves.c", "reference.c")


def fuzzer(
    folder: Path, harness: str, *, firmware: Path | None = None, sanitizers: tuple[str, ...] = SANITIZERS
) -> Path:
    """*harness* with libFuzzer, by clang.  *firmware* is another tree than ours."""
    return _program(folder, harness, ("clang", "-fsanitize=fuzzer", *sanitizers), firmware=firmware)


def replayer(folder: Path, harness: str) -> Path:
    """*harness* driven by replay.c, by gcc."""
    return _program(folder, harness, ("gcc", *SANITIZERS), "replay.c")


def fuzz(program: Path, corpus: Path, seeds: Path, *, seconds: int, findings: Path) -> subprocess.CompletedProcess[str]:
    """Let a fuzzer run, always from the same random numbers; what is new stays in *corpus*, what fails in *findings*.
    No *seconds*: only the inputs that are there."""
    limit = f"-max_total_time={seconds}" if seconds else "-runs=0"
    options = [limit, f"-max_len={_MAX_LEN[program.name]}", "-seed=1", "-timeout=10", f"-artifact_prefix={findings}/"]
    return subprocess.run([program, corpus, seeds, *options], capture_output=True, text=True)


def corpus(folder: Path) -> dict[str, list[Path]]:
    """The first inputs of each harness, below *folder*: the same streams."""
    streams = seeds.write_seeds(folder / "stream")
    decisions = [folder / "decisions" / path.name for path in streams]
    (folder / "decisions").mkdir(exist_ok=True)
    record = _program(folder, "record", ("gcc",))
    subprocess.run([record, *(path for both in zip(streams, decisions, strict=True) for path in both)], check=True)
    return {"stream": streams, "decisions": decisions}


def _program(folder: Path, harness: str, compiler: tuple[str, ...], *more: str, firmware: Path | None = None) -> Path:
    core = (firmware or data_path("firmware")) / "core"
    headers.write(folder / "generated", Board.load("NUCLEO-L476RG"), boot_version())
    seeds.write_old(folder / "generated/fuzz_old.h")
    # the harnesses of decisions include prior.c and range.c
    sources = [core / name for name in (*_DECODER, *(["prior.c", "range.c"] if harness == "stream" else []))]
    sources += [_HERE / name for name in ("case.c", f"{harness}.c", *more)]
    includes = [f"-I{path}" for path in (_HERE, core, folder / "generated/core", folder / "generated")]
    strict = [] if firmware else ["-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror"]
    program = folder / harness
    subprocess.run(
        [*compiler, "-std=c11", "-g", "-O2", *strict, *includes, "-o", str(program), *map(str, sources)], check=True
    )
    return program
