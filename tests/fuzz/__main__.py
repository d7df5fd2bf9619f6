"""`make fuzz`: the fuzzers from the corpus that they left last time, or from their seeds.  A finding stays in
build/fuzz/found, and the exit status is 1."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.fuzz import build

FOLDER = Path(__file__).parents[2] / "build/fuzz"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=60, help="for each fuzzer (default: 60)")
    parser.add_argument("--harness", action="append", choices=tuple(build.HARNESSES), help="only this one")
    arguments = parser.parse_args()
    build.corpus(FOLDER / "seeds")
    found = FOLDER / "found"
    found.mkdir(parents=True, exist_ok=True)
    failed = False
    for harness in arguments.harness or build.HARNESSES:
        corpus = FOLDER / "corpus" / harness
        corpus.mkdir(parents=True, exist_ok=True)
        done = build.fuzz(
            build.fuzzer(FOLDER, harness), corpus, FOLDER / "seeds" / harness, seconds=arguments.seconds, findings=found
        )
        failed |= done.returncode != 0
        lines = done.stderr.splitlines()
        print(f"{harness}:", *(line for line in lines if line.startswith("Done") or "DONE" in line), sep="\n  ")
        if done.returncode:
            print(*lines[-60:], sep="\n")
            continue
        memory = build.fuzzer(FOLDER / "memory", harness, sanitizers=build.MEMORY_SANITIZER)
        done = build.fuzz(memory, corpus, FOLDER / "seeds" / harness, seconds=0, findings=found)
        failed |= done.returncode != 0
        print("  no byte used before it was written" if done.returncode == 0 else done.stderr[-5000:])
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
