"""What budgets.toml allows patches and their decoder: what exceeds it is named, and fails `make bench`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Final

from bench.delta.measure import ROOT, BenchError

BUDGETS: Final = ROOT / "budgets.toml"


def limits() -> dict[str, float]:
    """Name -> the most that it may be, from the table [delta] of budgets.toml."""
    found: dict[str, float] = tomllib.loads(BUDGETS.read_text(encoding="utf-8"))["delta"]
    return found


def check(measured: Mapping[str, float]) -> None:
    """Raises BenchError with every one of *measured* that is above its limit, or has none."""
    allowed = limits()
    wrong = [
        f"{name} is {value:.4g}, expected at most {allowed[name]:g}"
        for name, value in measured.items()
        if value > allowed[name]
    ]
    if wrong:
        raise BenchError("above the limits of budgets.toml: " + "; ".join(wrong))
