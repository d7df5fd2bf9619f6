"""`python -m tests.qemu`: what QEMU and the twin say, and whether it is the same; vectors of the crypto on QEMU's CPU.

Exit status 1 when QEMU is of another opinion, 2 when there is none."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from spboot.boards import Board
from spboot.builder.compiler import NAMES
from tests.crypto.images import build
from tests.qemu import dialogue
from tests.qemu.callee import QemuCrypto
from tests.qemu.crypto import CHECKS
from tests.qemu.machine import MISSING, Qemu, program
from tests.system.rig import workshop


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.qemu")
    parser.add_argument("--compiler", choices=NAMES, default="clang", help="of the bootloader (default: clang)")
    parser.add_argument("--board", type=Path, default=dialogue.BOARD, help="another board file for the machine")
    arguments = parser.parse_args()
    if program() is None:
        print(MISSING, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        same = _consoles(arguments.board, arguments.compiler, Path(folder))
        _vectors(arguments.compiler, Path(folder) / "crypto")
    return 0 if same else 1


def _consoles(board: Path, compiler: str, folder: Path) -> bool:
    shop = workshop(Board.load(board), compiler, folder)
    same = True
    for name in dialogue.CASES:
        twin, qemu = dialogue.both(shop, name, folder / "qemu")
        print(f"== {name}; UART at {', '.join(map(str, sorted(set(qemu.rates))))} baud\n{_readable(qemu.text)}")
        if qemu.text != twin.text:
            print(f"-- but the twin said\n{_readable(twin.text)}")
            same = False
    print("both said the same" if same else "QEMU and the twin differ")
    return same


def _readable(text: bytes) -> str:
    return "".join(char for char in text.decode("latin-1") if char.isprintable() or char == "\n").strip()


def _vectors(compiler: str, folder: Path) -> None:
    with Qemu(b"", folder) as qemu:
        crypto = QemuCrypto(qemu, build(folder, compiler, "cm4"))  # type: ignore[arg-type]
        for name, check in CHECKS.items():
            check(crypto)
            print(f"{name}: right")


if __name__ == "__main__":
    sys.exit(main())
