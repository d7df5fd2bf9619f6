"""The fuzzers of the parsers: their seeds, a short run without libFuzzer, and bugs that they must find.
`make fuzz` lets them run for long."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.edits import edited_firmware
from tests.fuzz import build
from tests.fuzz.seeds import accepted
from tests.planted import PLANTED

DECODER = ("decisions", "stream")
MUTANTS = 3000
SECONDS = 60


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    return build.corpus(tmp_path_factory.mktemp("seeds"))


@pytest.mark.parametrize("harness", build.HARNESSES)
def test_seeds_are_accepted_and_mutants_keep_the_promises(
    harness: str, seeds: dict[str, list[Path]], tmp_path: Path
) -> None:
    """Streams are decoded twice, divided otherwise (D3), from and to heap blocks of the exact size (D1, D2, R1), with
    the work between two bytes of NEW bounded (D4).  Of the seeds NEW comes out whole both times.  What the others
    promise stands in their harnesses; each seed comes to a good end once."""
    program = build.replayer(tmp_path, harness)
    done = subprocess.run([program, str(MUTANTS), *seeds[harness]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    good = 2 * accepted(seeds[harness]) if harness in DECODER else len(seeds[harness])
    assert done.stdout == f"{good} accepted\n"


CASES = [(parser, name) for parser, bugs in PLANTED.items() for name in bugs]


@pytest.mark.parametrize(("parser", "name"), CASES)
def test_planted_bug_can_be_put(parser: str, name: str, tmp_path: Path) -> None:
    """A source that changed is seen before a long run."""
    edited_firmware(tmp_path, [PLANTED[parser][name]])


@pytest.mark.soak
@pytest.mark.parametrize(("parser", "name"), CASES)
def test_planted_bug_is_found(parser: str, name: str, seeds: dict[str, list[Path]], tmp_path: Path) -> None:
    """Within a minute, by one of the parser's fuzzers at least."""
    firmware = edited_firmware(tmp_path, [PLANTED[parser][name]])
    for harness in DECODER if parser == "decoder" else (parser,):
        program = build.fuzzer(tmp_path, harness, firmware=firmware)
        corpus = tmp_path / "corpus" / harness
        corpus.mkdir(parents=True)
        done = build.fuzz(program, corpus, seeds[harness][0].parent, seconds=SECONDS, findings=tmp_path)
        if done.returncode:
            assert "FUZZ_CHECK" in done.stderr or "Sanitizer" in done.stderr or "runtime error" in done.stderr
            return
    pytest.fail("nobody saw it")
