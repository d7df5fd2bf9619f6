"""What bootloaders for production make of each family's option bytes, typed from the manuals; how tests start them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.builder.compiler import NAMES
from spboot.builder.production import Production
from spboot.twin.flash.controller import Controller
from tests.system.rig import Rig, Workshop, workshop

STARTED = b"demo: u updates"
SETS = b"option bytes: setting read level"
Options = dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Chip:
    """Of a board: the option registers after the first boot where they are not as shipped, the operations it takes, and
    how the byte of read protection is opened and its write protection taken away."""

    options: Options
    open: Options
    operations: int = 1
    torn: str = "locked"
    """What the manual makes of option bytes that a cut met: they are "kept"; they read as "erased", which is put right;
    or "locked", and the chip runs nothing with constants in flash."""
    production: Production = "rdp1"


CHIPS = {
    # RM0090 3.9.10: RDP, and the bits of two sectors of 16 KB, in OPTCR
    "NUCLEO-F429ZI": Chip(options={"OPTCR": 0x0FFC_BBED}, open={"OPTCR": 0x0FFF_AAED}),
    # RM0410 3.7.6: a sector of 32 KB
    "DISCO-F769I": Chip(options={"OPTCR": 0xFFFE_BBFD}, open={"OPTCR": 0xFFFF_AAFD}, torn="erased"),
    # RM0444 3.7.8, 3.7.12: RDP; WRP1A from page 0 to page 11
    "NUCLEO-G0B1RE": Chip(
        options={"OPTR": 0xFFFF_FEBB, "WRP1AR": 0x000B_0080}, open={"OPTR": 0xFFFF_FEAA, "WRP1AR": 0xFF}
    ),
    # RM0440 3.7.8, 3.7.11
    "NUCLEO-G474RE": Chip(
        options={"OPTR": 0xFFEF_F8BB, "WRP1AR": 0x000B_0000}, open={"OPTR": 0xFFEF_F8AA, "WRP1AR": 0x7F}
    ),
    # RM0399, FLASH_OPTSR and FLASH_WPSN: RDP, WRPS0 of bank 1: a sector of 128 KB
    "DISCO-H745I": Chip(
        options={"OPTSR_CUR": 0x1BC6_BBF0, "BANK0_WPSN_CURR": 0xFE},
        open={"OPTSR_CUR": 0x1BC6_AAF0, "BANK0_WPSN_CURR": 0xFF},
        torn="kept",
    ),
    # RM0367 3.7.8, 3.7.9: RDPROT, and six sectors of 4 KB; a word each
    "NUCLEO-L073RZ": Chip(
        options={"OPTR": 0x8070_00BB, "WRPROT": 0x3F}, open={"OPTR": 0x8070_00AA, "WRPROT": 0}, operations=2
    ),
    # RM0351 3.7.8, 3.7.11
    "NUCLEO-L476RG": Chip(
        options={"OPTR": 0xFFEF_F8BB, "WRP1AR": 0xFF0B_FF00}, open={"OPTR": 0xFFEF_F8AA, "WRP1AR": 0xFF00_FFFF}
    ),
    # RM0438 6.9.9, 6.9.16
    "DISCO-L562E": Chip(
        options={"OPTR": 0x7FEF_F8BB, "WRP1AR": 0xFF8B_FF80}, open={"OPTR": 0x7FEF_F8AA, "WRP1AR": 0xFF80_FFFF}
    ),
    # RM0453 4.10.8, 4.10.11
    "NUCLEO-WL55JC": Chip(
        options={"OPTR": 0x3FFF_F0BB, "WRP1AR": 0xFF8B_FF80}, open={"OPTR": 0x3FFF_F0AA, "WRP1AR": 0xFF80_FFFF}
    ),
    # RM0481, FLASH_WRP1R: four sectors of 8 KB; PRODUCT_STATE is not ours
    "NUCLEO-H563ZI": Chip(
        options={"WRP1R_CUR": 0xFFFF_FFFE}, open={"WRP1R_CUR": 0xFFFF_FFFF}, torn="kept", production="wrp"
    ),
    # RM0456, FLASH_OPTR and FLASH_WRP1AR: three pages of 8 KB; UNLOCK (bit 31) stays
    "NUCLEO-U575ZI-Q": Chip(
        options={"OPTR": 0x1FEF_F8BB, "WRP1AR": 0xFF02_FF80}, open={"OPTR": 0x1FEF_F8AA, "WRP1AR": 0xFF00_FFFF}
    ),
}  # fmt: skip
SOAK = pytest.mark.soak


def boards(*sample: str) -> list[object]:
    """All of them; `make test` has those of *sample*."""
    return [name if name in sample else pytest.param(name, marks=SOAK) for name in CHIPS]


Shops = Callable[..., Workshop]


def shops_in(folder: Path) -> Shops:
    """Makes each bootloader once: of a board, and a level where it is not that of `CHIPS`."""

    @functools.cache
    def make(name: str, production: Production | None = None) -> Workshop:
        level = production or CHIPS[name].production
        compiler = NAMES[list(CHIPS).index(name) % 2]
        return workshop(Board.load(name), compiler, folder / name / level, level)

    return make


def controller(rig: Rig) -> Controller:
    found = rig.twin.flash_controller
    assert isinstance(found, Controller)
    return found


def operations(rig: Rig) -> int:
    return sum(op.kind == "options" for op in rig.twin.log)


def protected(rig: Rig, name: str) -> None:
    """Every option register is what it has to be, and no other one changed."""
    shipped = controller(Rig(rig.shop)).options
    changed = {key: value for key, value in controller(rig).options.items() if value != shipped[key]}
    assert changed == CHIPS[name].options


def start(rig: Rig) -> bytes:
    rig.power_on()
    return rig.listen(STARTED, seconds=20)


def guarded(rig: Rig, address: int) -> bool:
    """Whether the model takes the byte at *address* for protected."""
    flash, asked = controller(rig), rig.twin.flash
    offset = address - asked.address
    own = type(flash)._protected  # type: ignore[attr-defined]
    family = rig.board.chip.family
    if family in ("STM32F4", "STM32F7"):
        return bool(own(flash, next(s for s in flash.sectors if s.address <= address < s.address + s.size)))  # type: ignore[attr-defined]
    if family == "STM32H7":
        return bool(own(flash, offset // asked.bank_step, offset % asked.bank_step // asked.page))
    return bool(own(flash, address) if family in ("STM32L0", "STM32H5") else own(flash, address, 1))
