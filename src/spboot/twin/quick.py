"""The C functions of unicorn that the hot paths of a core call (U12 of core.py), and registers by the batch."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from typing import Any, Final, Protocol

from unicorn import UC_CTL_IO_WRITE, UC_CTL_TB_REMOVE_CACHE
from unicorn.unicorn_py3.unicorn import uclib

_quick = ctypes.PyDLL(uclib._name)  # U12
read_one, write_one = _quick.uc_reg_read, _quick.uc_reg_write
read_one.argtypes = write_one.argtypes = ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p
read_batch, write_batch = _quick.uc_reg_read_batch, _quick.uc_reg_write_batch
read_batch.argtypes = write_batch.argtypes = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int
run = _quick.uc_emu_start
run.argtypes = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_size_t
read_memory, write_memory = _quick.uc_mem_read, _quick.uc_mem_write
read_memory.argtypes = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_size_t
write_memory.argtypes = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_char_p, ctypes.c_size_t
_control = _quick.uc_ctl
_control.argtypes = ctypes.c_void_p, ctypes.c_int  # what follows is variadic
_FORGET: Final = UC_CTL_IO_WRITE << 30 | 2 << 26 | UC_CTL_TB_REMOVE_CACHE


def forget(handle: int, start: int, end: int) -> int:
    """Drop translations of code in a range (`uc_ctl_remove_cache`).  Returns unicorn's error number, 0 for none."""
    error: int = _control(handle, _FORGET, ctypes.c_uint64(start), ctypes.c_uint64(end))
    return error


class Counted(Protocol):
    """A core: its handle, and how often it was called."""

    uc: Any
    crossings: int


class Registers:
    """Some registers of a core, read or written in their order by one call.  All of them have 32 bits."""

    def __init__(self, core: Counted, *numbers: int) -> None:
        count = len(numbers)
        self._core = core
        self._values = (ctypes.c_uint32 * count)()
        start = ctypes.addressof(self._values)
        places = (ctypes.c_void_p * count)(*range(start, start + 4 * count, 4))
        self._keep = wanted, _ = (ctypes.c_int * count)(*numbers), places
        self._arguments = core.uc._uch.value, ctypes.addressof(wanted), ctypes.addressof(places), count

    def read(self) -> list[int]:
        self._fetch()
        return self._values[:]

    def image(self) -> bytes:
        """Their values, to be compared."""
        self._fetch()
        return bytes(self._values)

    def write(self, values: Iterable[int]) -> None:
        self._core.crossings += 1
        self._values[:] = list(values)
        write_batch(*self._arguments)

    def _fetch(self) -> None:
        self._core.crossings += 1
        read_batch(*self._arguments)
