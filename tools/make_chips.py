#!/usr/bin/env python3
"""Make src/spboot/chips/{parts,ip}/*.json from the open part facts: make_chips.py FACTS

FACTS holds chips.jsonl.xz and registers/ (see CONTRIBUTING).  The product keeps what it uses: memories, block addresses
with their IP version, clock and reset bits, pins, interrupts and DMA requests; for each IP version of these parts the
registers with their fields; and of all other peripherals name, address, clock and reset bits.
What the facts get wrong or do not say stands in chips/families/FAMILY.toml with the manual's word, or in
make_chips.toml if it is nobody's alone.
The output is sorted, so a second run changes nothing.

parts/FAMILY.json shares what parts have in common:
memories  list of what a part can have: the flash configuration it is shipped with, then those of other option bytes
pins      list of pin sets, as "A0-15 B0-15 C13-15"
blocks    name -> variants; a part names its blocks as "USART2", which is variant 0, or "USART2.1"
others    the same for peripherals whose registers are not kept
parts     name -> line, core, device id, places in the lists above"""

from __future__ import annotations

import fnmatch
import itertools
import json
import lzma
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parents[1] / "src" / "spboot" / "chips"
FAMILIES = {path.stem: tomllib.loads(path.read_text()) for path in sorted((OUT / "families").glob("*.toml"))}
RULES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
for kind in ("memory", "block", "other", "field", "register"):
    RULES[kind] = RULES.get(kind, []) + [rule for family in FAMILIES.values() for rule in family.get(kind, [])]
# Blocks the bootloader, an application's start-up or the twin touches.
KINDS = frozenset(
    [
        *("bdma", "crc", "dbgmcu", "dma", "dmamux", "exti", "flash", "gpdma", "gpio"),
        *(
            "icache",
            "iwdg",
            "lptim",
            "octospi",
            "octospim",
            "otg",
            "pwr",
            "quadspi",
            "rcc",
            "rng",
            "rtc",
            "syscfg",
            "tim_1ch",
            "tim_1ch_cmp",
            "tim_2ch",
        ),
        *("tim_2ch_cmp", "tim_adv", "tim_basic", "tim_gp16", "tim_gp32", "usart", "wwdg"),
    ]
)
NOT_BLOCKS = ("TS_CAL", "VREFINTCAL", "UID")
"""Words in the system memory that the facts list among the peripherals."""


def package_pins(chip: dict[str, Any]) -> set[str]:
    """GPIO pins that some package of the part has."""
    signals = {s for package in chip["packages"] for pin in package["pins"] for s in pin["signals"]}
    return {s for s in signals if s[:1] == "P" and s[1:2].isalpha() and s[2:].isdigit()}


def spelled(pins: set[str]) -> str:
    """{"PA0", "PA1", "PC13"} -> "A0-1 C13"."""
    words = []
    for port in sorted({pin[1] for pin in pins}):
        numbers = sorted(int(pin[2:]) for pin in pins if pin[1] == port)
        for _, run in itertools.groupby(enumerate(numbers), key=lambda item: item[1] - item[0]):
            members = [number for _, number in run]
            words.append(f"{port}{members[0]}" + (f"-{members[-1]}" if len(members) > 1 else ""))
    return " ".join(words)


def memories(chip: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Flash configurations, the one a part is shipped with first, as make_chips.toml corrects them."""
    configurations = [
        [memory_facts(m) for m in configuration if inside(m) and not m["name"].startswith("OTP")]
        for configuration in chip["memory"]
    ]
    for rule in RULES["memory"]:
        if not any(fnmatch.fnmatchcase(chip["name"], pattern) for pattern in rule["parts"]):
            continue
        flash = [m for configuration in configurations for m in configuration if m["kind"] == "flash"]
        for memory in flash:
            memory |= {key: rule[key] for key in ("program_unit", "protect_unit") if key in rule}
        if "banks" in rule:
            configurations.sort(key=lambda c: bank_count(c) != rule["banks"])
            if bank_count(configurations[0]) != rule["banks"]:
                raise SystemExit(f"{chip['name']} has no configuration of {rule['banks']} banks")
        if "halves" in rule:
            halves = split([dict(m) for m in configurations[0]], rule.get("erase_unit"))
            # With another erase unit it is the effect of an option byte, not a mistake in the facts.
            configurations[: 0 if "erase_unit" in rule else 1] = [halves]
    return configurations


def inside(memory: dict[str, Any]) -> bool:
    """Whether it is there after a reset: not a window of an external memory, no RAM among peripherals."""
    return bool(memory["address"] < 0x40000000)


def split(configuration: list[dict[str, Any]], erase_unit: int | None) -> list[dict[str, Any]]:
    """The one bank becomes two of half its size, with erase units of *erase_unit* bytes."""
    (bank,) = (m for m in configuration if m["kind"] == "flash")
    bank["size"] //= 2
    if erase_unit is not None:
        bank["erase_unit"] = bank["protect_unit"] = erase_unit
    second = {**bank, "name": "BANK_2", "bank": 2, "address": bank["address"] + bank["size"]}
    configuration.insert(configuration.index(bank) + 1, second)
    return configuration


def bank_count(configuration: list[dict[str, Any]]) -> int:
    return max(m["bank"] for m in configuration)


def memory_facts(memory: dict[str, Any]) -> dict[str, Any]:
    settings = memory.get("settings", {}) if memory["kind"] == "flash" else {}
    return {
        "name": memory["name"],
        "kind": memory["kind"],
        "address": memory["address"],
        "size": memory["size"],
        "bank": int(memory["name"].split("_")[1]) if memory["kind"] == "flash" else 0,
        "erase_unit": settings.get("erase_size", 0),
        "program_unit": settings.get("write_size", 0),
        "protect_unit": settings.get("erase_size", 0),
        "erased": settings.get("erase_value", 0),
    }


def block_facts(block: dict[str, Any], interrupts: dict[str, int]) -> dict[str, Any]:
    """What we keep of one peripheral.  An LPUART divides its clock differently: it is an IP version of its own."""
    clock = block.get("rcc", {}).get("kernel_clock", "")
    vectors = [(each, each) if isinstance(each, str) else tuple(each) for each in block.get("interrupts", [])]
    vectors = [(non_secure(name, interrupts), non_secure(vector, interrupts)) for name, vector in vectors]
    facts = {
        "ip": block["ip"].replace("usart", "lpuart") if block["name"].startswith("LPUART") else ip_of(block),
        "clock": clock if isinstance(clock, str) else f"{clock['register']}.{clock['field']}",
        "interrupts": {name: interrupts[vector] for name, vector in vectors},
        "pins": sorted(block.get("pins", [])),
        **clocked_facts(block),
    }
    return facts | ({"dma": block["dma"]} if "dma" in block else {})


def non_secure(vector: str, interrupts: dict[str, int]) -> str:
    """RTC for RTC_S, of which the facts name the secure one alone: with TrustZone off the other one is raised."""
    plain = vector.removesuffix("_S")
    return plain if plain in interrupts else vector


def clocked_facts(block: dict[str, Any]) -> dict[str, Any]:
    """Where a peripheral is, and what switches it on and resets it."""
    rcc = block.get("rcc", {})
    return {
        "address": block["address"],
        "enable": [rcc["enable"]["register"], rcc["enable"]["field"]] if "enable" in rcc else None,
        "reset": [rcc["reset"]["register"], rcc["reset"]["field"]] if "reset" in rcc else None,
    }


def ip_of(block: dict[str, Any]) -> str:
    """The IP version of a peripheral, "" when its registers are not kept.  Timers of one version differ in what they
    have: tim_basic_v1 is timer_v1 as the block TIM_BASIC."""
    ip: str = block.get("ip", "")
    return ip.replace("timer", block["block"].lower()) if ip.startswith("timer") else ip


def kind_of(ip: str) -> str:
    """As "usart" of usart_v3, "tim_1ch_cmp" of tim_1ch_cmp_v1; "" of no IP version."""
    return re.match(r"(tim_)?[a-z0-9]*(_cmp)?", ip)[0]  # type: ignore[index]


def kept(block: dict[str, Any]) -> bool:
    """Whether the registers of a peripheral are kept; not of the watchdogs with a 2, which are another core's."""
    return kind_of(ip_of(block)) in KINDS and block["name"] not in ("IWDG2", "WWDG2")


def others_of(chip: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The peripherals of the first core whose registers are not kept."""
    known = blocks_of(chip).keys()
    found = {
        p["name"]: clocked_facts(p)
        for p in chip["cores"][0]["peripherals"]
        if not kept(p) and p["name"] not in known and not p["name"].startswith(NOT_BLOCKS)
    }
    return found | {
        rule["name"]: clocked_facts(rule)
        for rule in RULES["other"]
        if any(fnmatch.fnmatchcase(chip["name"], pattern) for pattern in rule["parts"])
    }


def blocks_of(chip: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The blocks of the first core.  Its watchdogs are IWDG and WWDG on all parts."""
    core = chip["cores"][0]
    found = {
        p["name"].replace("WDG1", "WDG"): block_facts(p, core["interrupts"]) for p in filter(kept, core["peripherals"])
    }
    for rule in RULES["block"]:
        if any(fnmatch.fnmatchcase(chip["name"], pattern) for pattern in rule["parts"]):
            found[rule["name"]] = block_facts(rule, {})
    return found


def on_package(block: dict[str, Any], pins: set[str]) -> list[list[Any]]:
    return [pin for pin in block["pins"] if pin[0] in pins]


def whole_die(chips: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Blocks with the pins of all packages of a die, so that parts share them: key is name and all but the pins."""
    found: dict[str, dict[str, Any]] = {}
    for chip in chips:
        for name, block in blocks_of(chip).items():
            key = die_key(chip, name, block)
            pins = [pin for pin in block["pins"] if pin not in found.get(key, {"pins": []})["pins"]]
            found[key] = {**block, "pins": sorted(found.get(key, {"pins": []})["pins"] + pins)}
    return found


def die_key(chip: dict[str, Any], name: str, block: dict[str, Any]) -> str:
    return json.dumps([chip["die"], name, {**block, "pins": []}], sort_keys=True)


def spelled_variant(name: str, variant: int) -> str:
    """As "USART2" or "USART2.1"."""
    return f"{name}.{variant}" if variant else name


def place(items: list[Any], item: Any) -> int:
    """Where *item* stands in *items*; appended when it is new."""
    if item not in items:
        items.append(item)
    return items.index(item)


def family_facts(chips: list[dict[str, Any]]) -> dict[str, Any]:
    """The table of one family; see the head of this file."""
    dies = whole_die(chips)
    table: dict[str, Any] = {
        "memories": [],
        "pins": [],
        "blocks": defaultdict(list),
        "others": defaultdict(list),
        "parts": {},
    }
    for chip in sorted(chips, key=lambda c: c["name"]):
        pins, words = package_pins(chip), []
        for name, block in sorted(blocks_of(chip).items()):
            shared = dies[die_key(chip, name, block)]
            # A few parts lack a function that others of their die have on the same pin.
            fits = on_package(shared, pins) == on_package(block, pins)
            variant = place(table["blocks"][name], shared if fits else block)
            words.append(spelled_variant(name, variant))
        table["parts"][chip["name"]] = {
            "line": chip["line"],
            "core": chip["cores"][0]["name"],
            "device_id": chip["device_id"],
            "memories": place(table["memories"], memories(chip)),
            "pins": place(table["pins"], spelled(pins)),
            "blocks": " ".join(words),
            "others": " ".join(
                spelled_variant(name, place(table["others"][name], other))
                for name, other in sorted(others_of(chip).items())
            ),
        }
    return table


def merged(source: dict[str, Any], key: str, items: str) -> list[dict[str, Any]]:
    """The items of a block or fieldset, with those of what it extends."""
    own = source.get(key, {})
    kind = key.split("/")[0]
    base = merged(source, f"{kind}/{own['extends']}", items) if "extends" in own else []
    names = {item["name"] for item in own.get(items, [])}
    return [item for item in base if item["name"] not in names] + own.get(items, [])


def steps(item: dict[str, Any]) -> list[tuple[str, int]]:
    """(name, distance) of each member of an array, or of the one item."""
    array = item.get("array")
    if array is None:
        return [(item["name"], 0)]
    offsets = array.get("offsets") or [i * array["stride"] for i in range(array["len"])]
    return [(f"{item['name']}{i}", offset) for i, offset in enumerate(offsets)]


def values(source: dict[str, Any], field: dict[str, Any]) -> list[dict[str, int]]:
    """The meanings of *field*, if we keep them."""
    if field["name"] not in RULES["values"] or "enum" not in field:
        return []
    return [{v["name"]: v["value"] for v in source[f"enum/{field['enum']}"]["variants"]}]


def pieces(field: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    """(end of the name, lowest bit, width) of each run of bits of *field*: "", and "_1", where it has a second one."""
    low = field["bit_offset"]
    if isinstance(low, int):
        yield "", low, field["bit_size"]
        return
    for number, run in enumerate(low):
        yield f"_{number}" if number else "", run["start"], run["end"] - run["start"] + 1


def block_registers(source: dict[str, Any], block: str, prefix: str = "", base: int = 0) -> dict[str, Any]:
    """{register: {"offset", "fields": {name: [bit, width]}}}; arrays are spelled out: FIELD0, FIELD1, BANK0_CR ...
    A field named in `values` of make_chips.toml has what its values mean, too: [bit, width, {meaning: value}]."""
    registers: dict[str, Any] = {}
    for item in merged(source, f"block/{block}", "items"):
        for name, step in steps(item):
            offset = base + item["byte_offset"] + step
            if "block" in item:
                registers |= block_registers(source, item["block"], f"{prefix}{name}_", offset)
                continue
            fields = {
                field + piece: [low + shift, width, *values(source, f)]
                for f in merged(source, f"fieldset/{item.get('fieldset')}", "fields")
                for field, shift in steps(f)
                for piece, low, width in pieces(f)
            }
            registers[prefix + name] = {"offset": offset, "fields": fields}
    return registers


def ip_facts(facts: Path, ip: str) -> dict[str, Any]:
    """The registers of IP version *ip*, from the block of that name, as USART of usart_v3."""
    own = kind_of(ip)
    file = "usart" if own == "lpuart" else "timer" if own.startswith("tim_") else own
    source = json.loads((facts / "registers" / f"{file}{ip.removeprefix(own)}.json").read_text())
    blocks = {key.removeprefix("block/"): value for key, value in source.items() if key.startswith("block/")}
    inside = {item.get("block") for block in blocks.values() for item in block["items"]}
    whole = [name for name in blocks if name not in inside]
    registers = block_registers(source, own.upper() if own.upper() in blocks else whole[0])
    for rule in RULES["register"]:
        if ip in rule["ips"]:
            registers[rule["name"]] = {"offset": rule["offset"], "fields": rule["fields"]}
    for rule in RULES["field"]:
        for place, bits in rule["bits"].items() if ip in rule["ips"] else ():
            register, field = place.split(".")
            registers[register]["fields"][field] = bits
    return registers


def write(path: Path, value: Any) -> None:
    text = json.dumps(value, separators=(",", ":"), sort_keys=True)
    path.write_text(text.replace("},", "},\n").replace("}],", "}],\n") + "\n")


def main(facts: Path, out: Path = OUT) -> None:
    families = defaultdict(list)
    with lzma.open(facts / "chips.jsonl.xz", "rt") as lines:
        for chip in map(json.loads, lines):
            controllers = [p["ip"] for p in chip["cores"][0]["peripherals"] if p["name"] == "FLASH"]
            if chip["family"] in FAMILIES and controllers[0] not in RULES["other_flash"]:
                families[chip["family"]].append(chip)
    for folder in ("parts", "ip"):
        (out / folder).mkdir(exist_ok=True)
        for old in (out / folder).glob("*.json"):
            old.unlink()
    ips = set()
    for family, chips in families.items():
        table = family_facts(chips)
        ips |= {variant["ip"] for variants in table["blocks"].values() for variant in variants}
        write(out / "parts" / f"{family}.json", table)
    for ip in ips:
        write(out / "ip" / f"{ip}.json", ip_facts(facts, ip))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
