"""The fuzzers of the patch stream decoder: their seeds, a short run without libFuzzer, and bugs that they must find.
`make fuzz` lets them run for long."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.fuzz import build, planted
from tests.fuzz.seeds import accepted

MUTANTS = 3000
SECONDS = 60


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    return build.corpus(tmp_path_factory.mktemp("seeds"))


@pytest.mark.parametrize("harness", build.HARNESSES)
def test_seeds_are_accepted_and_mutants_keep_the_promises(
    harness: str, seeds: dict[str, list[Path]], tmp_path: Path
) -> None:
    """Each is decoded twice, divided otherwise (D3), from and to heap blocks of the exact size (D1, D2, R1), with the
    work between two bytes of NEW bounded (D4).  Of the seeds NEW comes out whole both times."""
    program = build.replayer(tmp_path, harness)
    done = subprocess.run([program, str(MUTANTS), *seeds[harness]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout == f"{2 * accepted(seeds[harness])} accepted\n"


@pytest.mark.soak
@pytest.mark.parametrize("name", planted.PLANTED)
def test_planted_bug_is_found(name: str, seeds: dict[str, list[Path]], tmp_path: Path) -> None:
    """Within a minute, by one of the two at least."""
    firmware = planted.plant(name, tmp_path)
    for harness in build.HARNESSES:
        program = build.fuzzer(tmp_path, harness, firmware=firmware)
        corpus = tmp_path / "corpus" / harness
        corpus.mkdir(parents=True)
        done = build.fuzz(program, corpus, seeds[harness][0].parent, seconds=SECONDS, findings=tmp_path)
        if done.returncode:
            assert "FUZZ_CHECK" in done.stderr or "Sanitizer" in done.stderr or "runtime error" in done.stderr
            return
    pytest.fail("nobody saw it")
