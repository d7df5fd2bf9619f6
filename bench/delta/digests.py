"""python -m bench.delta.digests: whether every patch of the corpus comes out byte for byte as recorded.

The encoder is the same on every machine: compiler, system and version of Python change nothing.  Needs the corpus, and
of the packages that spboot uses ziglang alone."""

from __future__ import annotations

import argparse
import hashlib
import platform
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.delta import corpus
from bench.told import told
from spboot import delta

_TABLE: Final = Path(__file__).with_name("digests.toml")
_HEAD: Final = "# SHA-256 of the patch stream of each pair, by `python -m bench.delta.digests --write`.\n\n"


def digest(pair: corpus.Pair) -> str:
    """SHA-256 of the stream of *pair*.  Raises CorpusError."""
    old, new = corpus.firmware(pair.product, pair.old), corpus.firmware(pair.product, pair.new)
    return hashlib.sha256(delta.encode(old, new, base=pair.base)).hexdigest()


def recorded() -> dict[str, str]:
    """Digest of each pair, as it should be."""
    return tomllib.loads(_TABLE.read_text(encoding="utf-8"))


def render(digests: Mapping[str, str]) -> str:
    """The text of digests.toml."""
    return _HEAD + "".join(f'"{name}" = "{value}"\n' for name, value in digests.items())


@told
def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.delta.digests")
    parser.add_argument("--write", action="store_true", help="record them: the encoder was changed on purpose")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.platform()}")
    found = {}
    for pair in corpus.pairs():
        found[pair.name] = digest(pair)
        print(pair.name, found[pair.name], flush=True)
    if options.write:
        _TABLE.write_text(render(found), encoding="utf-8")
    other = [name for name, value in found.items() if recorded().get(name) != value]
    if other:
        print(f"bench: not as recorded: {', '.join(other)}: the encoder was changed, or is not the same everywhere")
        return 1
    print(f"all {len(found)} as recorded")
    return 0


if __name__ == "__main__":
    sys.exit(main())
