#!/usr/bin/env python3
"""Make src/spboot/chips/{parts,ip} anew out of the pinned revision of the open part data, or check that they are of it.

`make chips CLONE=DIR`, with a git clone of the repository that [source] of make_chips.toml names; `make chips-check`
writes nothing.  FACTS=DIR in place of CLONE=DIR takes a folder that distil_chips.py made before.  For a newer revision
change `revision`, then `digest` to what this says."""

from __future__ import annotations

import argparse
import filecmp
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools import distil_chips, make_chips  # the path has to be there first


def facts_of(clone: Path, folder: Path) -> Path:
    """The facts that *clone* gives, in *folder*.  Ends the program when it lacks the revision."""
    try:
        distil_chips.main(clone, folder)
    except (OSError, subprocess.CalledProcessError) as error:
        source = distil_chips.SOURCE
        raise SystemExit(
            f"{clone}: no data of revision {source['revision']} there: expected a clone of {source['repository']} "
            f"that has it ({getattr(error, 'stderr', b'') or error!s})"
        ) from None
    return folder


def check_digest(facts: Path) -> None:
    """End the program unless *facts* are those of the pinned revision."""
    try:
        found = distil_chips.digest(facts)
    except OSError as error:
        raise SystemExit(f"{facts}: {error.strerror}: expected a folder with chips.jsonl.xz and registers/") from None
    pinned = distil_chips.SOURCE["digest"]
    if found != pinned:
        raise SystemExit(
            f"{facts}: the facts have the digest {found}, expected {pinned} of revision "
            f"{distil_chips.SOURCE['revision']}: take that revision, or change revision and digest in "
            "tools/make_chips.toml together"
        )


def differing(made: Path, there: Path) -> list[str]:
    """Files that are in one of the folders alone, or not the same in both."""
    found = []
    for folder in ("parts", "ip"):
        names = {path.name for each in (made, there) for path in (each / folder).glob("*.json")}
        same, *_ = filecmp.cmpfiles(made / folder, there / folder, names, shallow=False)
        found += [f"{folder}/{name}" for name in sorted(names - set(same))]
    return found


def main() -> int:
    """0, or 1 when --check finds other files than it would make."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clone", type=Path, help="git clone of the open part data")
    parser.add_argument("--facts", type=Path, help="folder that distil_chips.py made")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 when something would change")
    options = parser.parse_args()
    if (options.clone is None) == (options.facts is None):
        parser.error("give --clone or --facts: make chips CLONE=DIR")
    with tempfile.TemporaryDirectory() as folder:
        facts = options.facts or facts_of(options.clone, Path(folder) / "facts")
        check_digest(facts)
        made = Path(folder) if options.check else make_chips.OUT
        make_chips.main(facts, made)
        wrong = differing(made, make_chips.OUT)
    for name in wrong:
        print(f"src/spboot/chips/{name} is not what `make chips` gives", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
