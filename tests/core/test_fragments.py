"""examples/links/fragments.c on this machine, over flash that tells no errors: what is written over is spoilt unsaid.
A power cut leaves a part of a record; whatever comes next, what counts is what was sent."""

from __future__ import annotations

import ctypes
import random
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "links"
ENGINE = """\
#include "fragments.h"
#include <string.h>
static uint8_t taken[1 << 16];
static uint32_t count;
SE_ErrorStatus SE_PATCH_Abort(SE_PATCH_Status *s) { (void)s; count = 0; return SE_SUCCESS; }
void SE_PATCH_InitStatus(SE_PATCH_Status *s) { memset(s, 0, sizeof *s); }
SE_ErrorStatus SE_PATCH_Init(SE_PATCH_Status *s, const SE_PATCH_StartInfo *i) {
    s->totalBytes = i->totalLength;
    return SE_SUCCESS;
}
SE_ErrorStatus SE_PATCH_Data(SE_PATCH_Status *s, const uint8_t *d, uint32_t len) {
    (void)s;
    memcpy(taken + count, d, len);
    count += len;
    return SE_SUCCESS;
}
SE_ErrorStatus SE_PATCH_Poll(SE_PATCH_Status *s) {
    s->stage = count == s->totalBytes ? SE_PATCH_Stage_VERIFIED : SE_PATCH_Stage_UPDATE;
    return SE_SUCCESS;
}
const uint8_t *what_was_fed(void) { return taken; }
"""
TAKEN, AGAIN, WRONG, NO_ROOM = range(4)
SIZE = 4_096
READ = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint32), ctypes.c_uint32)
ERASE = ctypes.CFUNCTYPE(ctypes.c_bool)


class Store(ctypes.Structure):
    _fields_ = (("size", ctypes.c_uint32), ("erase", ERASE), ("write", READ), ("read", READ))


class File(ctypes.Structure):
    _fields_ = (("session", ctypes.c_uint32), ("length", ctypes.c_uint32), ("size", ctypes.c_uint16))


class Flash:
    """*left*: double words that are still programmed before the power fails; None: it does not."""

    def __init__(self) -> None:
        self.data = bytearray(b"\xff" * SIZE)
        self.left: int | None = None
        self.store = Store(SIZE, ERASE(self._erase), READ(self._write), READ(self._read))

    def _erase(self) -> bool:
        self.data[:] = b"\xff" * SIZE
        return True

    def _write(self, off: int, data: ctypes._Pointer[ctypes.c_uint32], length: int) -> bool:
        assert off % 8 == length % 8 == 0 and off <= SIZE and length <= SIZE - off
        for at, byte in enumerate(ctypes.string_at(data, length)):
            if self.left is not None and at % 8 == 0:
                if self.left == 0:
                    break
                self.left -= 1
            self.data[off + at] &= byte
        return True

    def _read(self, off: int, data: ctypes._Pointer[ctypes.c_uint32], length: int) -> bool:
        assert off % 8 == length % 8 == 0 and off <= SIZE and length <= SIZE - off
        ctypes.memmove(data, bytes(self.data[off : off + length]), length)
        return True


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("fragments")
    (folder / "engine.c").write_text(ENGINE)
    warnings = ["-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror", "-std=c11"]
    words = ["gcc", *warnings, "-shared", "-fPIC", "-fsanitize=undefined", f"-I{EXAMPLE}", f"-I{ROOT}/firmware/include"]
    files = [str(EXAMPLE / "fragments.c"), str(folder / "engine.c")]
    subprocess.run([*words, *files, "-o", str(folder / "fragments.so")], check=True, timeout=60)
    made = ctypes.CDLL(str(folder / "fragments.so"))
    made.fragments_open.restype = made.fragments_feed.restype = ctypes.c_bool
    made.fragments_missing.restype = ctypes.c_uint16
    made.what_was_fed.restype = ctypes.c_void_p
    return made


def download(library: ctypes.CDLL, flash: Flash, file: bytes, size: int, rnd: random.Random) -> int:
    """Until it is fed, or the store says that it is full; power fails once in some ten fragments.  How many cuts."""
    parts = [file[at : at + size] for at in range(0, len(file), size)]
    told, state, status = File(rnd.getrandbits(32), len(file), size), ctypes.create_string_buffer(2_048), bytes(64)
    sure: set[int] = set()
    cuts = 0
    while True:
        assert library.fragments_open(state, ctypes.byref(flash.store), ctypes.byref(told))
        assert not [each for each in sure if library.fragments_missing(state, each) == each], "a whole one was lost"
        flash.left = rnd.randrange(10 * (size // 8 + 2)) if rnd.random() < 0.8 else None
        while (at := library.fragments_missing(state, rnd.randrange(len(parts)) if rnd.random() < 0.5 else 0)) < len(
            parts
        ):
            answer = library.fragments_take(state, at, parts[at], len(parts[at]))
            if answer == NO_ROOM:
                return cuts
            if flash.left == 0:
                break
            assert answer == TAKEN and library.fragments_take(state, at, parts[at], len(parts[at])) == AGAIN
            sure.add(at)
        if flash.left == 0:
            cuts += 1
            continue
        if library.fragments_missing(state, 0) < len(parts):
            continue
        assert library.fragments_feed(state, ctypes.create_string_buffer(status))
        assert ctypes.string_at(library.what_was_fed(), len(file)) == file
        return cuts


def test_what_counts_is_what_was_sent(library: ctypes.CDLL) -> None:
    """Many files, one after the other in one store, with fragments of every kind of length."""
    rnd, flash, cuts = random.Random(7), Flash(), 0
    for _ in range(300):
        size = rnd.choice([1, 7, 8, 48, 51, 219, 224])
        room = min(SIZE // (16 + (size + 7) // 8 * 8), 512)
        cuts += download(library, flash, rnd.randbytes(rnd.randint(1, room * size)), size, rnd)
    assert cuts > 100
