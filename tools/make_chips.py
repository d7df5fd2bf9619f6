#!/usr/bin/env python3
"""Make src/spboot/chips/{parts,ip}/*.json from the open part facts: make_chips.py FACTS PART [PART ...]

FACTS holds chips.jsonl.xz and registers/ (see CONTRIBUTING).  The product keeps only what it uses: memories, block
addresses with their IP version, clock and reset bits, pins and interrupts; and for each IP version we drive, the
registers with their fields.  The output is sorted, so a second run changes nothing."""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parents[1] / "src" / "spboot" / "chips"
# Blocks the bootloader, an application's start-up or the twin touches.
KINDS = ("FLASH", "GPIO", "IWDG", "LPUART", "PWR", "RCC", "SYSCFG", "UART", "USART", "CRC", "DBGMCU", "EXTI")


def part_facts(chip: dict[str, Any]) -> dict[str, Any]:
    """What we keep of one part; its first core and first flash configuration."""
    core = chip["cores"][0]
    memories = [
        {"name": m["name"], "kind": m["kind"], "address": m["address"], "size": m["size"], **m.get("settings", {})}
        for m in chip["memory"][0]
    ]
    blocks = {}
    for p in core["peripherals"]:
        if p["name"].rstrip("0123456789").startswith(KINDS):
            rcc = p.get("rcc", {})
            blocks[p["name"]] = {
                "ip": p["ip"],
                "address": p["address"],
                "enable": [rcc["enable"]["register"], rcc["enable"]["field"]] if "enable" in rcc else None,
                "reset": [rcc["reset"]["register"], rcc["reset"]["field"]] if "reset" in rcc else None,
                "interrupts": {i: core["interrupts"][i] for i in p.get("interrupts", [])},
                "pins": p.get("pins", []),
            }
    return {
        "name": chip["name"],
        "family": chip["family"],
        "line": chip["line"],
        "device_id": chip["device_id"],
        "core": core["name"],
        "memories": memories,
        "blocks": blocks,
    }


def ip_facts(source: dict[str, Any]) -> dict[str, Any]:
    """{register: {"offset", "fields": {name: [bit, width]}}}; arrays are spelled out: FIELD0, FIELD1 ..."""
    block = next(v for k, v in source.items() if k.startswith("block/"))
    registers: dict[str, Any] = {}
    for item in block["items"]:
        fields: dict[str, list[int]] = {}
        for f in source.get(f"fieldset/{item.get('fieldset')}", {}).get("fields", []):
            array = f.get("array")
            if array is None:
                fields[f["name"]] = [f["bit_offset"], f["bit_size"]]
                continue
            steps = array.get("offsets") or [i * array["stride"] for i in range(array["len"])]
            for i, step in enumerate(steps):
                fields[f"{f['name']}{i}"] = [f["bit_offset"] + step, f["bit_size"]]
        array = item.get("array")
        steps = [0] if array is None else array.get("offsets") or [i * array["stride"] for i in range(array["len"])]
        for i, step in enumerate(steps):
            name = item["name"] if array is None else f"{item['name']}{i}"
            registers[name] = {"offset": item["byte_offset"] + step, "fields": fields}
    return registers


def write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=None, separators=(",", ":"), sort_keys=True).replace("},", "},\n") + "\n")


def main(facts: Path, wanted: list[str]) -> None:
    ips = set()
    with lzma.open(facts / "chips.jsonl.xz", "rt") as lines:
        for chip in map(json.loads, lines):
            if chip["name"] in wanted:
                part = part_facts(chip)
                ips |= {b["ip"] for b in part["blocks"].values()}
                write(OUT / "parts" / f"{part['name']}.json", part)
    for ip in ips:
        write(OUT / "ip" / f"{ip}.json", ip_facts(json.loads((facts / "registers" / f"{ip}.json").read_text())))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
