"""The example `rtos-iap` as a user builds it, on the twin, and what is measured of it: pins, RAM, seconds."""

from __future__ import annotations

import re
import shutil
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import spboot
from spboot.link.port import Port
from tests.integrations.bench import Built, next_release
from tests.integrations.project import HANGS_S, Edit, Project

PROBES: Final = {"NUCLEO-L476RG": "PA8", "DISCO-L4R9I": "PA4"}
"""Board -> the pin of its header that the control task changes."""
CONSOLE: Final = "USART2"
READY: Final = "app: self-test good\r\n"
_TURN_US: Final = 5000
_TASK: Final = struct.Struct("<3I")
"""struct task of kernel.h begins with sp, stack and words."""
_TURNS: Final = struct.Struct("<2I")
"""struct turns of tasks.h."""
_WORD: Final = 4

FASTER: Final[Edit] = ("src/tasks/control.c", "#define BLINK_TURNS 100u", "#define BLINK_TURNS 50u")


def first_release(board: str, folder: Path, made: Path, edits: Iterable[Edit] = ()) -> tuple[Project, Built]:
    """Version 1.0.0 for *board*, built by the commands of the README and kept."""
    project = Project.new("rtos-iap", folder, made=made, board=board)
    if edits:
        project.edit(edits)
        project.run("git", "tag", "-d", "v1.0.0")
        project.commit("v1.0.0")
    for command in project.typed:
        assert "warning" not in project.run(*command)
    project.run("cmake", "--build", "build", "-t", "app_release")
    return project, Built.of(project, "releases", "1.0.0")


def built(board: str, folder: Path, made: Path) -> tuple[Project, Built, Built]:
    """Two releases, the second with a patch from the first."""
    project, old = first_release(board, folder, made)
    return project, old, next_release(project, [FASTER])


def copied(project: Project, folder: Path) -> Project:
    """*project* to be changed, configured anew: CMake keeps the paths of the place where it was."""
    copy = project.copy(folder)
    shutil.rmtree(folder / "build")
    copy.run(*copy.typed[0])
    return copy


class Watch:
    """What tasks do meanwhile, from outside: each turn of the control task by its pin, and what RAM has in the moment
    in which the application says that an update is complete."""

    def __init__(self, device: spboot.Device, built: Built) -> None:
        self._device, self._built = device, built
        self._probe = PROBES[built.release.board]
        self._level = device.twin.pins.get(self._probe)
        self._ends = b"update: complete"
        self._uart = device.twin.uart(CONSOLE)
        self.edges: list[list[float]] = [[]]
        """When the pin changed, in microseconds, for each run of an application."""
        self.at_end: Told | None = None
        device.twin.pins.watch(self._on_pins)
        self._uart.on_byte.append(self._on_byte)

    def _on_pins(self) -> None:
        level = self._device.twin.pins.get(self._probe)
        if level != self._level:
            self._level = level
            self.edges[-1].append(self._device.twin.time * 1e6)

    def _on_byte(self, _byte: int) -> None:
        if self.at_end is None and self._uart.output.endswith(self._ends):
            self.at_end = told(self._device, self._built)
            self.edges.append([])

    @property
    def worst_us(self) -> float:
        """How far turns up to the end of the update were from each fifth millisecond, between the earliest and the
        latest of them; no turn is left out."""
        late = [at - turn * _TURN_US for turn, at in enumerate(self.edges[0])]
        return max(late) - min(late)

    @property
    def seconds(self) -> float:
        return (self.edges[0][-1] - self.edges[0][0]) / 1e6


@dataclass(frozen=True, slots=True)
class Told:
    """What the application counts: turns, lateness, and bytes of the three stacks that were used."""

    control_runs: int
    control_late_us: int
    filter_late_us: int
    control_stack: int
    filter_stack: int
    update_stack: int
    wrong: int
    seconds: float


def told(device: spboot.Device, built: Built) -> Told:
    """What is in RAM now."""

    def stack(task: str) -> int:
        _, lowest, words = _TASK.unpack(device.twin.ram_read(built.symbol(task), _TASK.size))
        memory = device.twin.ram_read(lowest, _WORD * words)
        left = next(at for at in range(0, len(memory), _WORD) if memory[at : at + _WORD] != b"\xa5" * _WORD)
        return len(memory) - left

    def turns(name: str) -> tuple[int, ...]:
        return _TURNS.unpack(device.twin.ram_read(built.symbol(name), _TURNS.size))

    control, filters = turns("control_turns"), turns("filter_turns")
    return Told(
        control_runs=control[0],
        control_late_us=control[1],
        filter_late_us=filters[1],
        control_stack=stack("control_task"),
        filter_stack=stack("filter_task"),
        update_stack=stack("update_task"),
        wrong=int.from_bytes(device.twin.ram_read(built.symbol("wrong"), _WORD), "little"),
        seconds=device.port.now(),
    )


def started(built: Built, *, crystal: bool = True) -> spboot.Device:
    """A new device that runs *built*, its *crystal* too."""
    device = spboot.Device(spboot.Board.load(built.release.board))
    device.program(built.factory)
    device.power_on()
    device.read_until(READY)
    if crystal:
        device.wait(2)
    return device


def heard(device: spboot.Device, words: str, start: int) -> None:
    """Until *words* were said behind byte *start* of all that was, while a thread runs the device."""
    output, deadline = device.twin.uart(CONSOLE).output, time.monotonic() + HANGS_S
    while output.find(words.encode(), start) < 0:
        assert time.monotonic() < deadline, output[start:].decode(errors="replace")
        time.sleep(0.02)


def reported(device: spboot.Device) -> dict[str, int]:
    """The table that the key s shows: microseconds late, bytes left, milliseconds in Stop."""
    device.type("s")
    text = device.read_until("\r\nStop: ").decode() + device.read_until("\r\n").decode()
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    names = "control late control_left filters filter_late wrong filter_left update_left stops stop_ms ms"
    return dict(zip(names.split(), numbers, strict=True))


@dataclass
class Lost:
    """A port whose wire breaks behind *left* bytes."""

    port: Port
    left: int

    def read(self, size: int, timeout_s: float) -> bytes:
        return self.port.read(size, timeout_s)

    def write(self, data: bytes) -> None:
        self.port.write(data[: self.left])
        self.left = max(0, self.left - len(data))

    def now(self) -> float:
        return self.port.now()


def refusal(device: spboot.Device, send: Callable[[], object], seconds: float = 120) -> str:
    """The reason that the application gives for what became of an update."""
    send()
    device.read_until("update: not done, ", seconds)
    return device.read_until("\r\n").decode().strip()
