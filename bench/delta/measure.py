"""Runs every tool on a pair and remembers what the peers gave, so that a change of ours is measured in little time."""

from __future__ import annotations

import hashlib
import json
import lzma
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.delta import corpus
from bench.delta.corpus import Pair
from bench.delta.peers import PEERS
from bench.delta.worker import OURS
from spboot.errors import SpbootError

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
PEER_PYTHON: Final = HERE / ".venv" / "bin" / "python"
_KEPT: Final = ROOT / "build" / "bench" / "delta.json"
_TIMEOUT_S: Final = 900


class BenchError(SpbootError):
    """A tool that could not be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one tool gave.  *sizes*: bytes by what is counted, "file" always.  *memory*: bytes, the whole process."""

    version: str
    sizes: dict[str, int]
    cpu_s: float
    wall_s: float
    memory: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PairResults:
    """*peers*: by name of the peer.  *missing*: those that cannot run here, and why."""

    pair: Pair
    old_size: int
    new_size: int
    ours: Result
    peers: dict[str, Result]
    missing: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageResult:
    """A full image: its bytes, those of xz -9e, and ours."""

    name: str
    size: int
    xz: int
    ours: Result


@dataclass(slots=True)
class Bench:
    """Measures.  *fresh*: ask the peers again instead of using what they gave last time."""

    fresh: bool = False
    _kept: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.fresh and _KEPT.exists():
            self._kept = json.loads(_KEPT.read_text(encoding="utf-8"))
        stamp = self._stamp()
        if self._kept.get("stamp") != stamp:
            self._kept = {"stamp": stamp}

    def patch(self, pair: Pair) -> PairResults:
        """All tools on *pair*.  Raises BenchError, CorpusError."""
        old, new = corpus.path(pair.product, pair.old), corpus.path(pair.product, pair.new)
        peers, missing = {}, {}
        for peer in PEERS:
            told = self.peer(peer.name, old, new, pair.base)
            if "missing" in told:
                missing[peer.name] = told["missing"]
            else:
                peers[peer.name] = Result(**told)
        return PairResults(
            pair=pair,
            old_size=old.stat().st_size,
            new_size=new.stat().st_size,
            ours=Result(**_work(sys.executable, OURS, str(old), new, pair.base)),
            peers=peers,
            missing=missing,
        )

    def image(self, pair: Pair) -> ImageResult:
        """The newer image of *pair*, whole.  Raises BenchError, CorpusError."""
        new = corpus.path(pair.product, pair.new)
        image = new.read_bytes()
        return ImageResult(
            name=f"{pair.product}-{pair.new}",
            size=len(image),
            xz=len(lzma.compress(image, preset=9 | lzma.PRESET_EXTREME)),
            ours=Result(**_work(sys.executable, OURS, "-", new, pair.base)),
        )

    def peer(self, name: str, old: Path, new: Path, base: int) -> dict[str, Any]:
        """What the peer *name* gives for *new* from *old*, or why it is "missing".  Raises BenchError."""
        key = f"{_digest(old)}-{_digest(new)}/{name}"
        if key not in self._kept:
            if not PEER_PYTHON.exists():
                raise BenchError("the peers have no venv yet: run `make bench` once")
            told = _work(str(PEER_PYTHON), name, str(old), new, base)
            if "missing" in told:
                return told
            self._kept[key] = told
            _KEPT.parent.mkdir(parents=True, exist_ok=True)
            _KEPT.write_text(json.dumps(self._kept, indent=1), encoding="utf-8")
        kept: dict[str, Any] = self._kept[key]
        return kept

    @staticmethod
    def _stamp() -> str:
        """Changes with whatever a peer's numbers depend on, the images apart."""
        files = (HERE / name for name in ("peers.py", "worker.py", "requirements.txt"))
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def _work(python: str, tool: str, old: str, new: Path, base: int) -> dict[str, Any]:
    """What bench.delta.worker tells, run by *python*."""
    command = [python, "-m", "bench.delta.worker", tool, old, str(new), str(base)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{tool} took more than {_TIMEOUT_S} s for {new.name}, expected seconds") from error
    if done.returncode:
        raise BenchError(f"{tool} failed on {new.name}:\n{done.stderr.strip()}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told
