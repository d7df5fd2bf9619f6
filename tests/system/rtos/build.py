"""Builds the RTOS application of this folder for a board, with what its chip has where, on the kernel of
examples/rtos-iap."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from spboot import chips
from spboot.boards import Board
from spboot.builder.demo import build_app
from spboot.formats.spec import data_path
from spboot.image import Image
from spboot.version import Version
from tests.system.rig import Workshop

BOARDS: Final = ("NUCLEO-L476RG", "NUCLEO-G0B1RE", "DISCO-L562E")
_KERNEL: Final = ("kernel.c", "kernel.h", "core.h")
_CHOICE, _CONTROL = "CCIPR", "CSR"
"""Registers of RCC that choose LPTIM1's clock, by bits 18 and 19, and start LSI, by bit 0 with its flag in bit 1:
RM0351 6.4.28 and 6.4.29, RM0444 5.4.21 and 5.4.23, RM0438 RCC_CCIPR1 (CCIPR in the facts) and RCC_CSR."""


def _board_header(board: Board, stack: str) -> str:
    """board.h: where the timers are, their interrupts, and how their clocks are started."""
    chip = board.chip
    rcc, tim6, lptim1 = chip.block("RCC"), chip.block("TIM6"), chip.block("LPTIM1")
    offsets = chips.registers(rcc.ip)

    def register(name: str) -> str:
        return f"{rcc.address + offsets[name].offset:#x}u"

    def clocked(register_name: str, field: str) -> str:
        return f"reg_set({register(register_name)}, 1u << {offsets[register_name].fields[field][0]})"

    assert tim6.enable is not None and lptim1.enable is not None
    values = {
        "TIM6_BASE": f"{tim6.address:#x}u",
        "TIM6_IRQ": f"{tim6.interrupts['UP']}u",
        "LPTIM1_BASE": f"{lptim1.address:#x}u",
        "LPTIM1_IRQ": f"{lptim1.interrupts['GLOBAL']}u",
        "CONSOLE_IRQ": f"{next(iter(chip.block(board.console.port).interrupts.values()))}u",
        "UPDATE_STACK": stack,
        "BOARD_TIMER_CLOCKS()": " ".join(
            (
                f"do {{ {clocked(*tim6.enable)}; reg_set({register(_CONTROL)}, 1);",
                f"reg_wait({register(_CONTROL)}, 2, 2);",
                f"reg_modify({register(_CHOICE)}, 3u << 18, 1u << 18); {clocked(*lptim1.enable)};",
                f"(void)reg_read({register(lptim1.enable[0])}); }} while (0)",
            )
        ),
    }
    return "".join(f"#define {name} {value}\n" for name, value in values.items())


def rtos_app(shop: Workshop, version: str, stack: str = "SE_PATCH_Stack_CALLER") -> bytes:
    """The application as *version*, its update task with *stack* for the engine."""

    def make() -> bytes:
        folder = shop.folder / f"rtos-{stack}-{version}"
        shutil.copytree(Path(__file__).parent, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        shutil.copy(Path(__file__).parents[1] / "bare.h", folder)
        for name in _KERNEL:
            shutil.copy(data_path("examples") / "rtos-iap" / "src" / "kernel" / name, folder)
        (folder / "board.h").write_text(_board_header(shop.board, stack), encoding="utf-8")
        own = [str((folder / name).resolve()) for name in ("port.c", "switch.c", "kernel.c", "main.c")]
        elf = build_app(shop.board, own, folder / "rtos.elf", Version.parse(version), shop.compiler)
        return Image.load(elf, shop.board, "1.0.0").data

    return shop._once(("rtos", stack, version), make)
