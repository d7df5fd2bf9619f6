"""Runs every board and the tests of the twin, and notes which registers they access."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Final

from spboot import boards
from spboot.boards import Board
from spboot.twin.block import Block
from tests.system.rig import Rig, workshop
from tools.fidelity.accesses import Accesses
from tools.fidelity.plugin import FOLDER_VARIABLE
from tools.fidelity.recorder import key, recording

_ROOT: Final = Path(__file__).resolve().parents[2]

Registers = dict[str, set[str]]
"""IP version -> registers."""


def measured(report: Callable[[str], None]) -> Accesses:
    """Run every board, then the tests of the twin.  *report* is told what is under way."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    names = tuple(boards.names())
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            report(name)
            for ip, registers in of_bootloader(Board.load(name), Path(folder) / name).items():
                for register in registers:
                    found[ip][register].append(name)
    report("tests/twin")
    return Accesses(boards=names, bootloaders={ip: dict(rest) for ip, rest in found.items()}, tests=of_tests())


def of_bootloader(board: Board, folder: Path) -> Registers:
    """What the bootloader of *board* accesses in a boot, a full image and a patch (with a single slot: two images).

    The demo application runs on the same chip: only accesses from the bootloader's place in flash count."""
    shop = workshop(board, "clang", folder)
    found: Registers = defaultdict(set)

    def note(block: Block, register: str) -> None:
        if board.bootloader.address <= block.die.core.pc < board.bootloader.end:
            found[key(block)].add(register)

    with recording(note):
        rig = Rig(shop)
        rig.boot()
        rig.enter_loader()
        rig.send(shop.image("1.1.0"))
        rig.listen()
        if board.slot1 is None:
            rig.enter_loader()
            rig.send(shop.image("1.2.0"))
        else:
            rig.ask_application()
            rig.send(shop.patch("1.1.0", "1.2.0"))
        rig.listen()
    return found


def of_tests() -> dict[str, list[str]]:
    """What the tests of the twin (tests/twin) access.  Raises RuntimeError when they fail."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "2",
            "-m",
            "not soak",
            "-p",
            "tools.fidelity.plugin",
            "tests/twin",
        ]
        done = subprocess.run(command, cwd=_ROOT, env={**os.environ, FOLDER_VARIABLE: folder}, check=False)
        if done.returncode:
            raise RuntimeError("tests/twin fails: nothing was written; mend it, then measure again")
        found: Registers = defaultdict(set)
        for path in Path(folder).glob("*.json"):
            for ip, registers in json.loads(path.read_text()).items():
                found[ip].update(registers)
    return {ip: sorted(registers) for ip, registers in sorted(found.items())}
