"""The core of the firmware, compiled for the host, as a device with flash that loses power when told to."""

from __future__ import annotations

import ctypes
import itertools
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from spboot.boards import Board
from spboot.builder import headers
from spboot.builder.bootloader import boot_version
from spboot.builder.personal import personal_area
from spboot.formats.c_header import spec_header
from spboot.formats.spec import data_path, spec
from spboot.keys import Keys

CUTS = {"none": 0, "before": 1, "after": 2, "torn": 3, "torn-readable": 4}
STATUS = {name: number for number, (name, _) in enumerate(spec()["status"]["codes"])}
NAMES = {number: name for name, number in STATUS.items()} | {0: "OK"}
INSTALL = ("nothing", "done", "trial", "reverted", "refused", "failed")


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Slots of two parts.  The first is in the board's flash; *unit* and *erase_unit* are those of the memory with the
    rest.  Sizes in bytes."""

    first: int
    page: int
    rest: int
    rest_page: int
    unit: int
    erase_unit: int
    journal: int
    sealed: int = 0
    block: int = 0
    """Bytes of the memory with the rest that it erases at once; as many as a batch of an install has."""

    @property
    def slot(self) -> int:
        return self.first + self.rest

    def numbers(self) -> dict[str, int]:
        """What spb_config.h says of them."""
        return {
            "SLOT_SIZE": self.slot, "MEMORIES": 2, "PARTS": 2, "PART_SIZE": self.first, "PAGE_SIZE": self.page,
            "REST_PAGE_SIZE": self.rest_page, "REST_ADDRESS": 0x90000000, "SLOT_UNIT": self.unit,
            "WRITE_SIZE": self.unit, "JOURNAL_SIZE": self.journal, "SEALED": self.sealed,
            "BLOCK": self.block, "BLOCK_PAGES": self.block // self.rest_page,
        }  # fmt: skip


def compile_core(board: Board, folder: Path, *, sanitize: bool = False, parts: Parts | None = None) -> Path:
    """Shared library of core, crypto and host_port.c.  With *sanitize* it needs LD_PRELOAD of libasan."""
    headers.write(folder / "generated", board, boot_version())
    rest = []
    if parts:
        config = folder / "generated/core/spb_config.h"
        text = config.read_text()
        for name, value in parts.numbers().items():
            text, found = re.subn(rf"^(#define SPB_{name} ).*", rf"\g<1>{value}u", text, flags=re.MULTILINE)
            assert found == 1, name
        config.write_text(text)
        (folder / "generated/core/spb_spec.h").write_text(spec_header(2))
        rest = [f"-DHP_REST_UNIT={parts.unit}u", f"-DHP_REST_ERASE_UNIT={parts.erase_unit}u"]
    firmware = Path(os.environ.get("SPBOOT_TEST_FIRMWARE", data_path("firmware")))  # test_mutants.py sets it
    sources = [
        *(firmware / "core").glob("*.c"),
        *(firmware / "crypto").glob("*.c"),
        Path(__file__).parent / "host_port.c",
    ]
    includes = [firmware / "core", firmware / "crypto", folder / "generated/core", folder / "generated/crypto"]
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1"] if sanitize else ["-O2"]
    library = folder / "core.so"
    strict = [] if "SPBOOT_TEST_FIRMWARE" in os.environ else ["-Wall", "-Wextra", "-Werror"]
    command = ["gcc", "-std=c11", "-g", *strict, "-shared", "-fPIC", *flags]
    unit = board.chip.memory_at(board.slot0.address).erase_unit
    command += [f"-DHP_ERASE_UNIT={unit}u", *rest, *(f"-I{path}" for path in includes)]
    command += ["-o", str(library), *map(str, sources)]
    subprocess.run(command, check=True)
    return library


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """*new*: as far as it was written when *status* ended it."""

    status: str
    new: bytes


class Device:
    """One device; *library* can be loaded once in a process, so all Devices of a process are the same one."""

    def __init__(self, library: Path, board: Board, keys: Keys, *, parts: Parts | None = None) -> None:
        self.lib = ctypes.CDLL(str(library))
        self.board = board
        self.lib.hp_personal.restype = ctypes.POINTER(ctypes.c_uint8)
        for name in (
            "hp_size",
            "hp_misuse",
            "hp_operations",
            "hp_erases",
            "hp_blocks",
            "hp_installed",
            "hp_save_size",
            "hp_engine_size",
        ):
            getattr(self.lib, name).restype = ctypes.c_uint32
        self.lib.hp_blank()
        ctypes.memmove(self.lib.hp_personal(), personal_area(keys), spec()["personal"]["size"])
        self.slot_size = parts.slot if parts else board.slot0.size
        self.first = parts.first if parts else board.slot0.size
        """Bytes of the first part of a slot."""

    def write(self, off: int, data: bytes) -> None:
        """Factory programming at *off* from the start of SLOT0."""
        self.lib.hp_write(off, data, len(data))

    def read(self, off: int, size: int) -> bytes:
        data = ctypes.create_string_buffer(size)
        self.lib.hp_read(off, data, size)
        return data.raw

    def install_factory(self, header: bytes, image: bytes, rest: bytes | None = None) -> None:
        self.lib.hp_blank()
        self.write(0, header)
        self.write(self.board.vector_size, image)
        if rest:
            self.write(self.first, rest)

    def save(self) -> bytes:
        state = ctypes.create_string_buffer(self.lib.hp_save_size())
        self.lib.hp_save(state)
        return state.raw

    def restore(self, state: bytes) -> None:
        self.lib.hp_restore(state)

    def power_on(self, cut: str = "none", at: int = 0, seed: int = 1) -> None:
        self.lib.hp_power_on(CUTS[cut], at, seed)
        self.lib.hp_engine_reset()

    def count(self) -> None:
        self.lib.hp_count()
        self.lib.hp_engine_reset()

    def feed(self, update: bytes, cuts: list[int] | None = None, *, active: bool = True, total: int = 0) -> str:
        """Start an update and give it *update*, split after each position in *cuts*; name of the last status."""
        status = self.lib.hp_start(total, int(active))
        at = [0, *(cuts or []), len(update)]
        for start, end in itertools.pairwise(at):
            if status:
                break
            status = self.lib.hp_data(update[start:end], end - start)
        return NAMES[status]

    def commit(self) -> str:
        return NAMES[self.lib.hp_commit()]

    def install(self, *, starts: int = 1) -> str:
        """What a boot does before it starts SLOT0, where an update on trial has so many starts."""
        return INSTALL[self.lib.hp_install(starts)]

    @property
    def installed(self) -> int:
        """Packed version in SLOT0, 0 when there is no valid image."""
        return int(self.lib.hp_installed())

    @property
    def operations(self) -> int:
        return int(self.lib.hp_operations())

    @property
    def misuse(self) -> int:
        """Flash operations that hardware would refuse."""
        return int(self.lib.hp_misuse())

    def erases(self, area: str) -> int:
        """Erased pages of "slot0", "slot1" or "journal" since the last power on."""
        unit = self.board.chip.memory_at(self.board.slot0.address).erase_unit
        pages = self.slot_size // unit
        span = {"slot0": range(pages), "slot1": range(pages, 2 * pages), "journal": range(2 * pages, 2 * pages + 1)}
        return sum(int(self.lib.hp_erases(page)) for page in span[area])

    def changed(self, pages: int) -> list[int]:
        """Which of the first *pages* the update has in SLOT1."""
        return [page for page in range(pages) if self.lib.hp_changed(page)]

    def decode(self, old: bytes, stream: bytes, new_len: int, pieces: int | None = None) -> Decoded:
        """What the C decoder makes of *stream*, given in runs of *pieces* bytes (0: any number; None: at once)."""
        new = ctypes.create_string_buffer(new_len + 1)
        put = ctypes.c_uint32()
        run = len(stream) if pieces is None else pieces
        status = self.lib.hp_decode(old, len(old), stream, len(stream), new, new_len, run, ctypes.byref(put))
        return Decoded(status=NAMES[status], new=new.raw[: put.value])
