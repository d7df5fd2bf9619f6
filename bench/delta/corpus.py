"""Real firmware to make patches of: products of several makers, as releases of packages have them, each image known by
its SHA-256.  Two halves by product: what the encoder starts from may be trained on one, the other is only measured."""

from __future__ import annotations

import hashlib
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from bench.delta import packages
from bench.delta.packages import CorpusError, Release

__all__ = ["CorpusError", "Half", "Pair", "check", "firmware", "groups", "pairs", "path", "training"]

Half = Literal["measured", "trained"]

_HERE: Final = Path(__file__).resolve().parent
FOLDER: Final = _HERE / "corpus"
_TABLE: Final[dict[str, Any]] = tomllib.loads((_HERE / "corpus.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two releases of one product.  *source*: where it comes from, a maker's package.  *base*: the address both are
    linked at."""

    name: str
    product: str
    source: str
    half: Half
    old: str
    new: str
    base: int


def pairs(source: str = "") -> list[Pair]:
    """The pairs of the benchmark, or those of one *source*: the measured half, then the trained one."""
    every = [pair for pair in _every("steps") if not _TABLE["products"][pair.product].get("only_trained")]
    return sorted((pair for pair in every if source in ("", pair.source)), key=lambda pair: pair.half)


def groups() -> dict[str, tuple[str, ...]]:
    """Names of the pairs that figures are told of: of each half, and of each source."""
    found: dict[str, tuple[str, ...]] = {}
    for pair in pairs():
        for group in (pair.half, pair.source):
            found[group] = (*found.get(group, ()), pair.name)
    return found


def training() -> list[Pair]:
    """What the states that adaptive bits start from may be trained on: the trained half, and pairs of its products
    that no benchmark has."""
    return [pair for pair in _every("steps") + _every("more_steps") if pair.half == "trained"]


def _every(steps: str) -> list[Pair]:
    """The steps of all products, where the corpus has both releases of a product."""
    found = []
    for product, facts in _TABLE["products"].items():
        source = _TABLE["sources"][facts["source"]]
        for old, new in facts.get(steps, source.get(steps, ())):
            name = f"{product}-{old}-{new}"
            if f"{product}-{old}" in _TABLE["images"] and f"{product}-{new}" in _TABLE["images"]:
                origin = {"product": product, "source": facts["source"], "half": source["half"]}
                found.append(Pair(name=name, old=old, new=new, base=facts["base"], **origin))
    return found


def path(product: str, version: str) -> Path:
    """Where the checked image of *product* in *version* is, fetched if need be.  Raises CorpusError."""
    name = f"{product}-{version}"
    if name not in _TABLE["images"]:
        raise CorpusError(f"{name} is not in the corpus, expected one of: {', '.join(_TABLE['images'])}")
    kept = FOLDER / f"{name}.bin"
    if not kept.exists():
        _fetch(_TABLE["products"][product]["source"], version)
    check(name, kept.read_bytes())
    return kept


def firmware(product: str, version: str) -> bytes:
    """The image of *product* ("technichub": STM32L431) in *version*.  Raises CorpusError."""
    return path(product, version).read_bytes()


def check(name: str, image: bytes) -> None:
    """Raise CorpusError unless *image* is the one that the table calls *name*."""
    expected = _TABLE["images"][name]
    found = hashlib.sha256(image).hexdigest()
    if (len(image), found) != (expected["size"], expected["sha256"]):
        raise CorpusError(
            f"corpus: {name} has {len(image)} bytes with SHA-256 {found}, expected {expected['size']} bytes with "
            f"{expected['sha256']}: remove {FOLDER} and fetch it again; if it stays so, the package has changed"
        )


def release(source: str, version: str) -> Release:
    """The release of the package of *source* that has the firmware in *version*."""
    facts = _TABLE["sources"][source]
    told = facts.get("releases", {}).get(version, {})
    return Release(
        registry=facts["registry"],
        package=facts["package"],
        version=told.get("version", version),
        sha256=told.get("sha256", ""),
        options=told.get("options", ()),
    )


def _fetch(source: str, version: str) -> None:
    """Put the images of all products of *source* in *version* into FOLDER, checked."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        scratch = Path(folder)
        file = packages.fetch(release(source, version), scratch)
        for product, facts in _TABLE["products"].items():
            name = f"{product}-{version}"
            if facts["source"] == source and name in _TABLE["images"]:
                image = packages.image(file, [each.format(version=version) for each in facts["path"]], facts["base"])
                check(name, image)
                new = scratch / name
                new.write_bytes(image)
                new.replace(FOLDER / f"{name}.bin")  # whole or not at all: two may be fetching
