"""Prints host CPU time : time on the line, the smaller the faster; where there is no line, millions of instructions a
second.  One core, nothing else to do on it: what else runs changes the figures."""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.twin.programs import IDLES, LOOP, RECEIVER
from spboot.boards import Board
from spboot.twin import Twin
from tests.apps import startable
from tests.system.rig import Rig, workshop
from tests.twin.conftest import out, twin_of

_BAUD = 115_200
_BITS = 10


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a transfer of *size* bytes took: seconds of the host's CPU, and calls into the emulator."""

    size: int
    cpu_s: float
    slices: int
    crossings: int

    @property
    def ratio(self) -> float:
        """Host CPU time : time on the line."""
        return self.cpu_s / (self.size * _BITS / _BAUD)

    def __str__(self) -> str:
        each = f"{self.slices / self.size:.2f} slices and {self.crossings / self.size:.1f} calls a byte"
        return f"{self.ratio:6.2f} x the line  ({self.cpu_s:.1f} s; {each})"


class Meter:
    """Counts what a twin does from its making to `cost`."""

    def __init__(self, twin: Twin) -> None:
        self._core = twin.core
        self._slices, self._crossings = twin.core.slices, twin.core.crossings
        self._began = time.process_time()

    def cost(self, size: int) -> Cost:
        """Since then, for *size* bytes."""
        cpu = time.process_time() - self._began
        core = self._core
        return Cost(size=size, cpu_s=cpu, slices=core.slices - self._slices, crossings=core.crossings - self._crossings)


def by_interrupts(size: int, idle: str) -> Cost:
    """*size* bytes received by interrupts, three exceptions for each.  Raises AssertionError when one was lost."""
    twin = twin_of(RECEIVER.replace("IDLE", IDLES[idle]) % size)
    assert twin.run(until=lambda: out(twin, 3) == 1)
    data = bytes(index % 251 for index in range(size))
    meter = Meter(twin)
    twin.uart("USART2").send(data)
    assert twin.run(until=b".", seconds=2 * size * _BITS / _BAUD)
    assert out(twin, 1) == sum(data) & 0xFFFFFFFF
    assert not twin.uart("USART2").lost
    return meter.cost(size)


def through_the_loader(size: int) -> Cost:
    """An image of *size* bytes, all of them new, from the first byte on the line to its first instruction."""
    with tempfile.TemporaryDirectory() as folder:
        shop = workshop(Board.load("NUCLEO-L476RG"), "clang", Path(folder))
        rig = Rig(shop)
        rig.enter_loader()
        body = b"".join(index.to_bytes(4, "little") for index in range(size // 4))
        update = shop.wrap(startable(shop.board, body), "2.0.0")
        meter = Meter(rig.twin)
        rig.send(update)
        rig.listen(b"starting 2.0.0", seconds=100)
        return meter.cost(size)


def plain_loop(instructions: int = 200_000_000) -> float:
    """Millions of instructions a second of a loop without memory."""
    twin = twin_of(LOOP)
    twin.run(instructions=100_000)
    began = time.process_time()
    twin.run(instructions=instructions, seconds=1e9)
    return instructions / (time.process_time() - began) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.twin", description=__doc__)
    parser.add_argument("--kb", type=int, default=200, help="size of the image")
    size = parser.parse_args().kb * 1024
    for idle in IDLES:
        print(f"by interrupts, {idle:8} {by_interrupts(size, idle)}")
    print(f"through the loader      {through_the_loader(size)}")
    print(f"plain loop              {plain_loop():6.0f} MIPS")


if __name__ == "__main__":
    main()
