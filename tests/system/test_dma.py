"""An application that receives an update by circular DMA at full speed, with each kind of DMA: no byte is lost
while flash is erased, and the update is VERIFIED."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from spboot import release
from spboot.builder.demo import build_app
from spboot.image import Image
from spboot.version import Version
from tests.families import ALL
from tests.system.rig import Rig, Workshop
from tests.system.test_boards import workshops

__all__ = ["workshops"]
HERE = Path(__file__).parent.resolve()
DMA_H = HERE.parent / "twin" / "dma.h"


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """The console of a board: its address and interrupt; requests, channels and interrupt of DMA, as its manual has
    them; the rest is that of the family.  *ring*: bytes that come while flash is erased, and more."""

    uart: int
    irq: int
    request: tuple[int, int]
    channel: tuple[int, int]
    irq_rx: int
    ring: int = 2048


BOARDS = {
    "NUCLEO-L476RG": Wiring(uart=0x40004400, irq=38, request=(2, 2), channel=(6, 7), irq_rx=16),
    "NUCLEO-G0B1RE": Wiring(uart=0x40004400, irq=28, request=(52, 53), channel=(1, 2), irq_rx=9, ring=8192),
    "NUCLEO-F429ZI": Wiring(uart=0x40004800, irq=39, request=(4, 4), channel=(1, 3), irq_rx=12, ring=32768),
    "NUCLEO-U575ZI-Q": Wiring(uart=0x40013800, irq=61, request=(24, 25), channel=(0, 1), irq_rx=29),
}


def streamer(shop: Workshop, wiring: Wiring, version: str) -> bytes:
    """streamer.c, and behind it bytes that are different in each version."""
    row, old = ALL[shop.board.chip.family].dma, shop.board.chip.family == "STM32F4"
    kinds = {"CHANNEL": 1, "STREAM": 2, "GPDMA": 3}
    values = {
        "KIND": kinds[row["kind"]], "DMA": row["base"], "DMAMUX": row["mux"], "TRBUFF": 0, "RING": wiring.ring,
        "REQUEST_RX": wiring.request[0], "REQUEST_TX": wiring.request[1],
        "RX": wiring.channel[0], "TX": wiring.channel[1], "IRQ_RX": wiring.irq_rx, "IRQ_UART": wiring.irq,
        "RDR": wiring.uart + (4 if old else 0x24), "TDR": wiring.uart + (4 if old else 0x28),
        "CR1_AT": wiring.uart + (0xC if old else 0), "CR3_AT": wiring.uart + (0x14 if old else 8),
        "STATUS": wiring.uart + (0 if old else 0x1C),
    }  # fmt: skip
    clear = "(void)REG(RDR)" if old else f"REG({wiring.uart + 0x20:#x}) = IDLE"
    source = shop.folder / f"streamer-{version}.c"
    source.write_text(
        "".join(f"#define {name} {value:#x}u\n" for name, value in values.items())
        + f'#define DMA_H "{DMA_H}"\n#define DMA_CLOCK {row["clock"]}\n#define IDLE_CLEAR {clear}\n'
        + f'#include "{HERE / "streamer.c"}"\n'
    )
    elf = shop.folder / f"streamer-{version}.elf"
    build_app(shop.board, [str(source.resolve())], elf, Version.parse(version), shop.compiler)
    return Image.load(elf, shop.board, "1.0.0").data + random.Random(version).randbytes(wiring.ring + 2000)


@pytest.mark.parametrize("name", BOARDS)
def test_an_update_by_circular_dma(workshops, name: str) -> None:  # type: ignore[no-untyped-def]
    shop, wiring = workshops(name), BOARDS[name]
    old, new = (streamer(shop, wiring, version) for version in ("1.0.0", "1.1.0"))
    patch = release.patch(shop.made(old, "1.0.0"), shop.made(new, "1.1.0"), keys=shop.keys)
    assert len(patch) > wiring.ring
    rig = Rig(shop, app=old)
    rig.power_on()
    rig.listen(b"streamer 1.0.0 ready\r\n")
    erased = rig.erases(shop.board.slot1)
    rig.uart.send(patch)
    text = rig.listen(b"idle 1\r\n", seconds=len(patch) / 11520 + 5)
    found = re.search(rb"verified after (\d+), halves (\d+), wholes (\d+)", text)
    assert found, text
    rounds = len(patch) // wiring.ring
    assert [int(number) for number in found.groups()] == [
        len(patch),
        (len(patch) + wiring.ring // 2) // wiring.ring,
        rounds,
    ]
    assert rig.erases(shop.board.slot1) > erased, "nothing was erased meanwhile"
    assert not rig.uart.lost
    assert not rig.twin.warnings
