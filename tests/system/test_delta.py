"""The limits of budgets.toml for patches, as one pair of real firmware can show them; `make bench` has all."""

from __future__ import annotations

import lzma
import random
from pathlib import Path

import pytest

from bench.delta import corpus, digests, ours, table
from bench.delta.cycles import Decoder
from bench.delta.limits import check, limits
from bench.delta.measure import BenchError
from spboot import delta
from spboot.twin.measure.callee import Core

PAIR = next(pair for pair in corpus.pairs() if pair.name == "technichub-7.27.0-7.28.0")


@pytest.fixture(scope="module")
def pair() -> tuple[bytes, bytes]:
    return corpus.firmware(PAIR.product, PAIR.old), corpus.firmware(PAIR.product, PAIR.new)


def test_sizes(pair: tuple[bytes, bytes]) -> None:
    """This pair is far below the mean of all: its digest says that nothing became worse."""
    old, new = pair
    fits, best = table.recorded()[PAIR.name]
    file = ours.sizes(old, new, PAIR.base).file
    check({"measured_in_5_kb": file / fits.size, "measured_of_any": file / best.size})
    check({"trained_in_5_kb": file / fits.size, "trained_of_any": file / best.size})
    check({"pybricks_in_5_kb": file / fits.size, "pybricks_of_any": file / best.size})
    check({"worst_in_5_kb": file / fits.size, "worst_of_any": file / best.size})
    assert digests.digest(PAIR) == digests.recorded()[PAIR.name]


def test_full_images(pair: tuple[bytes, bytes]) -> None:
    _, new = pair
    payload = ours.sizes(b"", new, PAIR.base).payload
    check({"image_xz": payload / len(lzma.compress(new, preset=9 | lzma.PRESET_EXTREME))})
    for size in (1000, 100_000):
        check({"noise": len(delta.encode(b"", random.Random(size).randbytes(size))) / size})


@pytest.mark.parametrize("core", [pytest.param("cm4", marks=pytest.mark.soak), "cm0p"])
def test_decoder(pair: tuple[bytes, bytes], core: Core, tmp_path: Path) -> None:
    old, new = pair
    decoder = Decoder(tmp_path, core)
    cost = decoder.decode(old, new, delta.encode(old, new, base=PAIR.base))
    print(f"{core}: {cost.per_byte:.0f} cycles a byte, {cost.stack} bytes of stack, {decoder.size} of code and tables")
    check({f"cycles_{core}": cost.per_byte, "decoder": decoder.size})


def test_what_is_above_its_limit_is_named() -> None:
    with pytest.raises(BenchError, match=r"worst_of_any is 1\.01, expected at most 1$"):
        check({"worst_of_any": 1.01, "decoder": limits()["decoder"]})
    with pytest.raises(KeyError):
        check({"nothing": 1})


@pytest.mark.parametrize("name", limits())
def test_every_limit_is_measured(name: str) -> None:
    """Here or in tests/host/test_gui.py for one pair, or in `make bench`."""
    tests = Path(__file__).parents[1]
    text = "".join((tests / file).read_text(encoding="utf-8") for file in ("system/test_delta.py", "host/test_gui.py"))
    assert f'"{name.removesuffix("cm4").removesuffix("cm0p")}' in text
