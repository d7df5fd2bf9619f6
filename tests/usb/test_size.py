"""What the files of a stick add to a bootloader: in a copy of the firmware that links them, with a disk that is two
registers.  Volumes, directories, choice and sentences; no driver."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.builder import bootloader, build_record, program
from spboot.formats.spec import data_path
from spboot.keys import Keys
from tests.edits import edited_firmware
from tests.usb.host import FILES

ROOT = Path(__file__).resolve().parents[2]
BUDGETS = tomllib.loads((ROOT / "budgets.toml").read_text(encoding="utf-8"))["stick"]
DISK = """#include "disk.h"
#define REGISTER (*(volatile uint32_t *)0x50000000)
uint32_t spb_disk_sectors(void) { return REGISTER; }
bool spb_disk_read(uint32_t sector, uint8_t *to) {
    REGISTER = sector;
    for (uint32_t i = 0; i < SPB_SECTOR_SIZE; i++) to[i] = (uint8_t)REGISTER;
    return REGISTER != 0;
}
"""
BOUND = [
    (
        "loader/session.c",
        '#include "ymodem.h"\n',
        '#include "stick.h"\n#include "ymodem.h"\n\n'
        'static struct spb_stick stick __attribute__((section(".bootram")));\n',
    ),
    (
        "loader/session.c",
        "spb_ymodem_receive(SPB_SESSION_CALLS);",
        "spb_stick_receive(&stick, slot0_active);\n"
        "        if (end == SPB_SOURCE_NONE) end = spb_ymodem_receive(SPB_SESSION_CALLS);",
    ),
]
"""As it will be bound, more or less: the session looks at the stick before it calls for YMODEM."""


@pytest.mark.both_compilers
@pytest.mark.parametrize("compiler", ["clang", "gcc"])
@pytest.mark.parametrize("name", [name for name in BUDGETS if name != "ram"])
def test_size(name: str, compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board, keys = Board.load(name), Keys.new(tmp_path / "keys", "lamp", development=True)
    before = bootloader.build(board, keys, tmp_path / "before", compiler=compiler)
    firmware = edited_firmware(tmp_path, BOUND)
    for path in (firmware / "usb").iterdir():
        if path.suffix == ".h" or path.stem in FILES:
            shutil.copy(path, firmware / "loader")
    (firmware / "loader/disk.c").write_text(DISK)
    for module in (bootloader, program, build_record):
        monkeypatch.setattr(module, "data_path", lambda of: firmware if of == "firmware" else data_path(of))
    after = bootloader.build(board, keys, tmp_path / "after", compiler=compiler)
    assert 2_000 < after.size - before.size <= BUDGETS[name]
    with after.elf.open("rb") as file:
        symbols = {symbol.name: symbol for symbol in _symbols(file)}
    assert symbols["stick"]["st_size"] <= BUDGETS["ram"]
    assert symbols["stick"]["st_value"] >= board.ram.end, "none of the reserved RAM"


def _symbols(file: object) -> list[object]:
    from elftools.elf.elffile import ELFFile

    return list(ELFFile(file).get_section_by_name(".symtab").iter_symbols())
