"""docs/fidelity.md as text: a table for each IP version, registers that are alike in one row."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from spboot.boards import Board
from tools.fidelity import ledger
from tools.fidelity.accesses import Accesses
from tools.fidelity.ledger import Model, Register

PATH: Final = Path(__file__).resolve().parents[2] / "docs" / "fidelity.md"
_HEAD: Final = Path(__file__).with_name("head.md")


def text(accesses: Accesses) -> str:
    """The whole page."""
    models = ledger.models()
    parts = [_head(models, accesses)]
    for kind, members in itertools.groupby(
        sorted(models, key=lambda m: (_kind(m.ip), m.ip)), key=lambda m: _kind(m.ip)
    ):
        parts.append(f"\n## {kind}\n")
        parts += [_section(model, accesses) for model in members]
    return "".join(parts)


def _kind(ip: str) -> str:
    return re.split(r"[_ ]", ip)[0].upper()


def _head(models: tuple[Model, ...], accesses: Accesses) -> str:
    every = [(model.ip, register.name) for model in models for register in model.registers]
    return _HEAD.read_text(encoding="utf-8").format(
        registers=f"{len(every):,}",
        models=len(models),
        boards=len(accesses.boards),
        booted=sum(name in accesses.bootloaders.get(ip, {}) for ip, name in every),
        tested=sum(name in accesses.tests.get(ip, []) for ip, name in every),
        unmodelled=", ".join(f"`{ip}`" for ip in ledger.unmodelled()),
        gaps="\n".join(f"  - {_escaped(gap)}" for gap in gaps()),
    )


def gaps() -> list[str]:
    """What handlers refuse because the twin does not model it."""
    return list(dict.fromkeys(gap for model in ledger.models() for gap in model.gaps))


def _section(model: Model, accesses: Accesses) -> str:
    lines = [f"\n### {model.ip}\n", f"As on {model.part}. Manual: {model.manual or '-'}."]
    if model.every:
        lines.append(f" Refused at any register: {_escaped('; '.join(model.every))}.")
    lines.append("\n\n| registers | access | manual | bootloader | tests | refused |\n|---|---|---|---|---|---|\n")
    lines += [f"| {' | '.join(row)} |\n" for row in _rows(model, accesses)]
    return "".join(lines)


def _rows(model: Model, accesses: Accesses) -> Iterator[tuple[str, ...]]:
    """One row for all registers that are alike, in the order of the first of them."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for register in model.registers:
        booted = families(accesses.bootloaders.get(model.ip, {}).get(register.name, []))
        tested = register.name in accesses.tests.get(model.ip, [])
        alike: tuple[str, ...] = (
            _access(register),
            register.manual or "-",
            " ".join(booted),
            "yes" if tested else "",
            _escaped("; ".join(register.refused)),
        )
        rows.setdefault(alike, []).append(register.name)
    for alike, names in rows.items():
        yield " ".join(_folded(names)), *alike


def families(names: Iterable[str]) -> list[str]:
    """Of boards, as L4+."""
    return sorted({Board.load(name).chip.family.removeprefix("STM32") for name in names})


def _access(register: Register) -> str:
    if register.writes == "refused":
        return f"{register.reads}, read-only" if register.reads == "computed" else "read-only"
    return (
        "stored"
        if (register.reads, register.writes) == ("stored", "stored")
        else f"{register.reads}, {register.writes}"
    )


def _folded(names: list[str]) -> Iterator[str]:
    """PUCR0 PUCR1 PUCR2 -> PUCR0..2."""

    def stem(name: str) -> str:
        return name.rstrip("0123456789")

    for base, group in itertools.groupby(names, key=stem):
        run = list(group)
        numbers = [name.removeprefix(base) for name in run]
        if len(run) > 2 and numbers == [str(int(numbers[0]) + i) for i in range(len(run))]:
            yield f"{run[0]}..{numbers[-1]}"
        else:
            yield from run


def _escaped(words: str) -> str:
    return words.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")
