"""The chip facts are of a pinned revision of the open part data, and one command makes them out of it."""

from __future__ import annotations

import json
import lzma
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools import distil_chips, make_chips, renew_chips

VARIABLE = "SPBOOT_STM32_FACTS"
"""Names a folder that tools/distil_chips.py made of the pinned revision."""
CHIP: dict[str, Any] = {
    "name": "STM32L476RG",
    "family": "STM32L4",
    "line": "STM32L4x6",
    "die": "DIE415",
    "device_id": 0x415,
    "packages": [],
    "memory": [],
    "docs": ["dropped"],
    "cores": [
        {
            "name": "cm4",
            "interrupts": [{"name": "USART2", "number": 38}],
            "dma_channels": [],
            "peripherals": [
                {
                    "name": "ADC1",
                    "address": 1,
                    "registers": {"kind": "adc", "version": "v3", "block": "ADC"},
                    "interrupts": [{"signal": "GLOBAL", "interrupt": "ADC1_2"}],
                },
                {
                    "name": "TIM6",
                    "address": 0x40001000,
                    "registers": {"kind": "timer", "version": "v1", "block": "TIM_BASIC"},
                    "interrupts": [{"signal": "UP", "interrupt": "TIM6_DAC"}],
                },
                {
                    "name": "USART2",
                    "address": 0x40004400,
                    "registers": {"kind": "usart", "version": "v3", "block": "USART"},
                    "rcc": {"bus_clock": "PCLK1", "stop_mode": "Stop1"},
                    "pins": [{"pin": "PA2", "signal": "TX", "af": 7}],
                    "interrupts": [{"signal": "GLOBAL", "interrupt": "USART2"}],
                    "dma_channels": [
                        {"signal": "RX", "channel": "DMA1_CH6", "request": 2},
                        {"signal": "TX", "dmamux": "DMAMUX1", "request": 27},
                    ],
                },
            ],
        }
    ],
}


def test_the_source_is_pinned() -> None:
    assert re.fullmatch(r"[0-9a-f]{40}", distil_chips.SOURCE["revision"])
    assert re.fullmatch(r"[0-9a-f]{40}", distil_chips.SOURCE["sources_revision"])
    assert re.fullmatch(r"[0-9a-f]{64}", distil_chips.SOURCE["digest"])


@pytest.mark.skipif(VARIABLE not in os.environ, reason=f"{VARIABLE} does not say where the part facts are")
def test_the_facts_are_of_the_source() -> None:
    command = [sys.executable, renew_chips.__file__, "--check", "--facts", os.environ[VARIABLE]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one part and its registers, at the pinned revision."""
    folder = tmp_path / "clone"
    for name, value in {
        "chips/STM32L476RG": CHIP,
        "registers/usart_v3": {"block/USART": {}},
        "registers/adc_v3": {},
        "registers/timer_v1": {},
    }.items():
        path = folder / "data" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
    git = ["git", "-c", "user.name=spboot", "-c", "user.email=spboot@localhost"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "data"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True).stdout
    monkeypatch.setitem(distil_chips.SOURCE, "revision", head.strip())
    return folder


def test_what_is_kept_of_a_part(clone: Path, tmp_path: Path) -> None:
    distil_chips.main(clone, tmp_path / "facts")
    names = sorted(path.name for path in (tmp_path / "facts" / "registers").iterdir())
    assert names == ["timer_v1.json", "usart_v3.json"]
    with lzma.open(tmp_path / "facts" / "chips.jsonl.xz", "rt") as lines:
        (chip,) = map(json.loads, lines)
    assert "docs" not in chip
    (core,) = chip["cores"]
    assert core["interrupts"] == {"USART2": 38}
    assert core["peripherals"] == [
        {"name": "ADC1", "address": 1},
        {
            "name": "TIM6",
            "address": 0x40001000,
            "ip": "timer_v1",
            "block": "TIM_BASIC",
            "interrupts": [["UP", "TIM6_DAC"]],
        },
        {
            "name": "USART2",
            "address": 0x40004400,
            "ip": "usart_v3",
            "block": "USART",
            "rcc": {"bus_clock": "PCLK1"},
            "pins": [["PA2", "TX", 7]],
            "interrupts": ["USART2"],
            "dma": [["RX", "DMA1_CH6", 2], ["TX", "DMAMUX1", 27]],
        },
    ]


def test_facts_of_another_revision_are_refused(clone: Path, tmp_path: Path) -> None:
    distil_chips.main(clone, tmp_path / "facts")
    with pytest.raises(SystemExit, match=r"the facts have the digest .*, expected .* of revision"):
        renew_chips.check_digest(tmp_path / "facts")
    with pytest.raises(SystemExit, match=r"expected a folder with chips\.jsonl\.xz"):
        renew_chips.check_digest(tmp_path)


def test_a_clone_without_the_revision_is_refused(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(distil_chips.SOURCE, "revision", "0" * 40)
    with pytest.raises(SystemExit, match=r"no data of revision 0{40} there"):
        renew_chips.facts_of(clone, tmp_path / "facts")


def test_files_that_differ_are_named(tmp_path: Path) -> None:
    for folder in ("parts", "ip"):
        (tmp_path / folder).mkdir()
        for path in (make_chips.OUT / folder).glob("*.json"):
            (tmp_path / folder / path.name).write_bytes(path.read_bytes())
    assert renew_chips.differing(tmp_path, make_chips.OUT) == []
    (tmp_path / "ip" / "iwdg_v1.json").write_text("{}")
    (tmp_path / "parts" / "STM32L4.json").unlink()
    (tmp_path / "ip" / "new_v1.json").write_text("{}")
    assert renew_chips.differing(tmp_path, make_chips.OUT) == [
        "parts/STM32L4.json",
        "ip/iwdg_v1.json",
        "ip/new_v1.json",
    ]
