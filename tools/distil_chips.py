#!/usr/bin/env python3
"""Make the part facts that make_chips.py takes: distil_chips.py CLONE FACTS

CLONE is a git repository of the open part data, generated from its sources; make_chips.toml, [source], names it and the
revision that is taken.  FACTS gets chips.jsonl.xz, a part a line with all its peripherals, and registers/, a file for
each IP version of the kinds of blocks that a bootloader or the twin may look at one day."""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SOURCE = tomllib.loads(Path(__file__).with_name("make_chips.toml").read_text(encoding="utf-8"))["source"]
KINDS = frozenset(
    [
        *("aes", "bdma", "crc", "cryp", "dbgmcu", "dcache", "dma", "dmamux", "exti", "flash", "gpdma", "gpio", "gtzc"),
        *("hash", "hsem", "icache", "iwdg", "lpdma", "lptim", "octospi", "octospim", "otfdec", "otg", "pka", "pwr"),
        *("quadspi", "rcc", "rng", "rtc", "saes", "sdmmc", "spi", "syscfg", "tamp", "timer", "uid", "usart", "usb"),
        *("wwdg", "xspi", "xspim"),
    ]
)
"""Kinds whose registers are kept; of all others name, address and clock."""
BY_SIGNAL = frozenset(["bdma", "dma", "gpdma", "lpdma", "lptim", "rtc", "tamp", "timer"])
"""Kinds with several signals, whose interrupts are kept as [signal, vector] and not as a list of vectors."""
WITH_DMA = frozenset(["usart"])
WITH_PINS = frozenset(["octospi", "octospim", "otg", "quadspi", "sdmmc", "spi", "usart", "usb", "xspim"])


def block_facts(block: dict[str, Any]) -> dict[str, Any]:
    """What is kept of one peripheral."""
    registers = block.get("registers", {})
    kind = registers.get("kind", "")
    facts = {"name": block["name"], "address": block["address"]}
    if kind in KINDS:
        facts |= {"ip": f"{kind}_{registers['version']}", "block": registers["block"]}
    if "rcc" in block:
        facts["rcc"] = {key: value for key, value in block["rcc"].items() if key != "stop_mode"}
    pins = [[pin["pin"], pin["signal"], pin.get("af")] for pin in block.get("pins", [])]
    if pins and kind in WITH_PINS:
        facts["pins"] = pins
    signals = sorted((each["signal"], each["interrupt"]) for each in block.get("interrupts", []))
    if signals and kind in KINDS:
        facts["interrupts"] = signals if kind in BY_SIGNAL else sorted({vector for _, vector in signals})
    if kind in WITH_DMA and block.get("dma_channels"):
        facts["dma"] = [
            [each["signal"], each.get("channel") or each.get("dmamux") or each["dma"], each.get("request")]
            for each in block["dma_channels"]
        ]
    return facts


def chip_facts(chip: dict[str, Any]) -> dict[str, Any]:
    """What is kept of one part."""
    facts = {key: chip[key] for key in ("name", "family", "line", "die", "device_id", "packages", "memory")}
    facts["cores"] = [
        {
            "name": core["name"],
            "peripherals": [block_facts(p) for p in core["peripherals"]],
            "interrupts": {each["name"]: each["number"] for each in core["interrupts"]},
        }
        for core in chip["cores"]
    ]
    return facts


def files(clone: Path) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of the data of the pinned revision.  Raises CalledProcessError when *clone* lacks it."""
    command = ["git", "archive", "--format=tar", SOURCE["revision"], "data/chips", "data/registers"]
    packed = subprocess.run(command, cwd=clone, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:
                yield member.name.removeprefix("data/"), content.read()


def digest(facts: Path) -> str:
    """SHA-256 of all facts: the lines of the parts, then name and content of each register file, by name."""
    whole = hashlib.sha256(lzma.decompress((facts / "chips.jsonl.xz").read_bytes()).rstrip() + b"\n")
    for path in sorted((facts / "registers").glob("*.json")):
        whole.update(f"{path.name}\n".encode() + json.dumps(json.loads(path.read_bytes()), sort_keys=True).encode())
    return whole.hexdigest()


def main(clone: Path, facts: Path) -> None:
    found = dict(files(clone))
    lines = [chip_facts(json.loads(found[path])) for path in sorted(found) if path.startswith("chips/")]
    (facts / "registers").mkdir(parents=True)
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    (facts / "chips.jsonl.xz").write_bytes(lzma.compress(text.encode()))
    for path in sorted(path for path in found if path.startswith("registers/")):
        if path.removeprefix("registers/").split("_")[0].removesuffix(".json") in KINDS:
            (facts / path).write_bytes(found[path])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
