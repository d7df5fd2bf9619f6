"""`make proof`: every proof, or with --planted every planted bug.  The exit status is 1 when a proof fails or a bug
passes."""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

from tests.proof import cbmc
from tests.proof.proofs import PROOFS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof")
    parser.add_argument("--harness", action="append", choices=PROOFS, help="only this one")
    parser.add_argument("--quick", action="store_true", help="only those of `make test`")
    parser.add_argument("--planted", action="store_true", help="the planted bugs in place of the proofs")
    arguments = parser.parse_args()
    bad = 0
    for name in arguments.harness or PROOFS:
        if arguments.quick and not PROOFS[name].quick:
            continue
        for bug in PROOFS[name].planted if arguments.planted else (None,):
            bad += not _one(name, bug)
    print("all as it should be" if bad == 0 else f"{bad} not as it should be")
    return int(bad != 0)


def _one(name: str, bug: str | None) -> bool:
    """Prove, say so, and whether it is as expected: a proof without failures, a bug with one."""
    start, cpu = time.monotonic(), _children()
    with tempfile.TemporaryDirectory() as folder:
        answer = cbmc.prove(name, Path(folder), planted=bug)
    took = f"{time.monotonic() - start:.1f} s, {_children() - cpu:.1f} s of a core"
    print(
        f"{name}{f', {bug}' if bug else ''}: {len(answer.failed)} of {answer.properties} properties fail, {took}",
        flush=True,
    )
    shown = answer.failed[:1] if bug else answer.failed
    print(*(f"  {line}" for line in shown), sep="\n", end="\n" if shown else "")
    return bool(answer.failed) == bool(bug)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
